package rgwtest

import (
	"fmt"
	"regexp"
	"sort"

	"github.com/ceph/go-ceph/rgw/admin"
)

// bucket is one bucket with all versions of its objects.
type bucket struct {
	name, id, owner string
	quota           limit
	versioned       bool
	// versions are in the order of their keys, and of one key the newest first.
	versions []version
	uploads  []upload
	// policy and lifecycle are as they were sent; empty for none.
	policy, lifecycle string
}

// version is one version of an object, or the mark that it was deleted.
type version struct {
	key, id string
	size    int64
	deleted bool
}

// upload is one that was begun in parts.
type upload struct{ key, id string }

// nullVersion is the id of a version in a bucket without versions.
const nullVersion = "null"

func (g *Gateway) newBucket(name, owner string) *bucket {
	g.draws++
	return &bucket{name: name, id: fmt.Sprintf("zone.%d", g.draws), owner: owner, quota: noLimit}
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// report words a bucket as a gateway does.
func (b *bucket) report() admin.Bucket {
	is := admin.Bucket{Bucket: b.name, ID: b.id, Marker: b.id, Owner: b.owner, BucketQuota: b.quota.report()}
	size, objects := b.used()
	if objects > 0 {
		bytes, count := uint64(size), uint64(objects)
		is.Usage.RgwMain.Size, is.Usage.RgwMain.NumObjects = &bytes, &count
	}
	return is
}

// used counts what is kept.
func (b *bucket) used() (size, objects int64) {
	for _, v := range b.versions {
		size, objects = size+v.size, objects+1
	}
	return size, objects
}

// put adds a version, or replaces the only one of a bucket without versions.
func (g *Gateway) put(b *bucket, v version) {
	if b.versioned {
		g.draws++
		v.id = fmt.Sprintf("v%08d", g.draws)
	} else {
		v.id = nullVersion
		b.drop(v.key, nullVersion)
	}
	at := sort.Search(len(b.versions), func(i int) bool { return b.versions[i].key >= v.key })
	b.versions = append(b.versions[:at], append([]version{v}, b.versions[at:]...)...)
}

// remove deletes a version, or hides the object of a bucket with versions.
func (g *Gateway) remove(b *bucket, key, id string) {
	if id == "" && b.versioned {
		g.put(b, version{key: key, deleted: true})
		return
	}
	if id == "" {
		id = nullVersion
	}
	b.drop(key, id)
}

func (b *bucket) drop(key, id string) {
	var kept []version
	for _, v := range b.versions {
		if v.key != key || v.id != id {
			kept = append(kept, v)
		}
	}
	b.versions = kept
}

// latest are the newest versions of the objects that are not deleted.
func (b *bucket) latest() []version {
	var all []version
	for i, v := range b.versions {
		if !v.deleted && (i == 0 || b.versions[i-1].key != v.key) {
			all = append(all, v)
		}
	}
	return all
}

// Objects counts the versions that a bucket holds.
func (g *Gateway) Objects(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if found := g.buckets[name]; found != nil {
		return len(found.versions)
	}
	return 0
}

// AddObjects puts small objects into a bucket, past all limits.
func (g *Gateway) AddObjects(name string, count int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range count {
		g.put(g.buckets[name], version{key: fmt.Sprintf("object-%06d", i), size: 1})
	}
}

// SetVersioned makes a bucket keep versions.
func (g *Gateway) SetVersioned(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.buckets[name].versioned = true
}

// Bucket returns what is known of a bucket.
func (g *Gateway) Bucket(name string) (admin.Bucket, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := g.buckets[name]
	if found == nil {
		return admin.Bucket{}, false
	}
	return found.report(), true
}

// Policy returns the policy of a bucket as it was sent; empty without one.
func (g *Gateway) Policy(name string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if found := g.buckets[name]; found != nil {
		return found.policy
	}
	return ""
}
