package rgwadmin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Removal says how much of a Wanted is to go.
type Removal string

// The removals.
const (
	// Keep removes nothing.
	Keep Removal = ""
	// RemoveZone removes the zone from its zone group, and then the zone.
	RemoveZone Removal = "Zone"
	// RemoveZoneGroup removes a zone group that has no zone any more.
	RemoveZoneGroup Removal = "ZoneGroup"
	// RemoveRealm removes a realm that has no zone in this cluster any more.
	RemoveRealm Removal = "Realm"
	// RemoveAll removes zone, zone group and realm of a store that has its own.
	RemoveAll Removal = "All"
)

// Wanted is what shall be true in Ceph. It holds no keys, so it may be seen by
// everybody.
type Wanted struct {
	Realm     Realm      `json:"realm"`
	ZoneGroup *ZoneGroup `json:"zoneGroup,omitempty"`
	Zone      *Zone      `json:"zone,omitempty"`
	// Users are kept where the zone is the master of its realm. Elsewhere they
	// come with the metadata from there.
	Users []User `json:"users,omitempty"`
	// Remove turns the wish around: what is named shall not be there.
	Remove Removal `json:"remove,omitempty"`
	// Keys is a Fingerprint of the keys that are referred to, so that a change of
	// them is a change of what is wanted.
	Keys string `json:"keys,omitempty"`
	// Known is what the last Result said. It changes nothing about what is wanted.
	Known Known `json:"known,omitzero"`
}

// Known are the ids that things have in Ceph; empty where nothing is known.
type Known struct {
	RealmID     string `json:"realmID,omitempty"`
	ZoneGroupID string `json:"zoneGroupID,omitempty"`
	ZoneID      string `json:"zoneID,omitempty"`
}

// KeyRef names the keys of a user: two entries of a Secret.
type KeyRef struct {
	Secret    string `json:"secret"`
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

// Realm is a realm to make, to pull, or to find.
type Realm struct {
	Name string `json:"name"`
	// Default makes it the one that tools use when none is named.
	Default bool `json:"default,omitempty"`
	// Pull is the URL of a gateway of the realm's master zone, in another cluster.
	Pull string `json:"pull,omitempty"`
	// PullKeys are those of the realm's system user there.
	PullKeys *KeyRef `json:"pullKeys,omitempty"`
	// Required realms are not made: somebody else does that.
	Required bool `json:"required,omitempty"`
}

// ZoneGroup is a zone group to make or to find.
type ZoneGroup struct {
	Name string `json:"name"`
	// Hostnames that gateways accept requests under; nil leaves them as they are.
	Hostnames []string `json:"hostnames"`
	// Required zone groups are not made.
	Required bool `json:"required,omitempty"`
}

// Zone is a zone to make.
type Zone struct {
	Name string `json:"name"`
	// Endpoints are all URLs of the zone; nil leaves them as they are.
	Endpoints []string `json:"endpoints"`
	// MetadataPool holds, in namespaces, all that is not a bucket; empty for pools
	// of the zone's own, which are named after it.
	MetadataPool string `json:"metadataPool,omitempty"`
	// Placements that buckets can be made in; none for the one that a zone has by
	// itself, in pools of the zone's own.
	Placements []Placement `json:"placements,omitempty"`
	// DefaultPlacement of buckets that choose none; empty leaves it alone.
	DefaultPlacement string `json:"defaultPlacement,omitempty"`
	// SystemKeys are those that the zone talks to other zones with.
	SystemKeys *KeyRef `json:"systemKeys,omitempty"`
	// Required zones are not made.
	Required bool `json:"required,omitempty"`
	// Purge removes what the zone wrote into shared pools when it is removed.
	Purge bool `json:"purge,omitempty"`
}

// Placement is a choice of pools for a bucket. A pool may be followed by a colon
// and a RADOS namespace.
type Placement struct {
	Name      string `json:"name"`
	IndexPool string `json:"indexPool"`
	DataPool  string `json:"dataPool"`
	ExtraPool string `json:"extraPool,omitempty"`
	// Classes are the pools of storage classes besides STANDARD.
	Classes map[string]string `json:"classes,omitempty"`
}

// User is an administrator to make.
type User struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	// System users may act for other zones.
	System bool `json:"system,omitempty"`
	// Caps as Ceph writes them: "users=*;zone=read".
	Caps string `json:"caps,omitempty"`
	Keys KeyRef `json:"keys"`
}

// Hash tells two wishes apart. What is known already makes no difference.
func (w Wanted) Hash() string {
	w.Known = Known{}
	body, err := json.Marshal(w)
	if err != nil {
		panic("encode Wanted: " + err.Error()) // plain strings always encode
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:10])
}

// KeyRefs are the keys that the wish refers to, each once.
func (w Wanted) KeyRefs() []KeyRef {
	var refs []KeyRef
	seen := map[KeyRef]bool{}
	add := func(ref *KeyRef) {
		if ref != nil && !seen[*ref] {
			seen[*ref], refs = true, append(refs, *ref)
		}
	}
	add(w.Realm.PullKeys)
	if w.Zone != nil {
		add(w.Zone.SystemKeys)
	}
	for i := range w.Users {
		add(&w.Users[i].Keys)
	}
	return refs
}

// Fingerprint is a text that tells keys apart and gives nothing of them away.
func Fingerprint(keys ...string) string {
	body, err := json.Marshal(keys)
	if err != nil {
		panic("encode keys: " + err.Error())
	}
	sum := sha256.Sum256(append([]byte("rook-ceph rgw keys\x00"), body...))
	return hex.EncodeToString(sum[:8])
}
