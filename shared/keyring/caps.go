package keyring

import "strings"

// Caps maps a daemon type (mon, mgr, osd, mds) to what an identity may do there.
type Caps map[string]string

// Identity is a cephx user with the capabilities that it needs and no more.
type Identity struct {
	Entity string
	Caps   Caps
}

// Admin is the identity of people and of the first minute of a cluster. No
// service keeps a connection with it once its own identity exists.
func Admin() Identity {
	return Identity{"client.admin", Caps{"mon": "allow *", "mgr": "allow *", "osd": "allow *", "mds": "allow *"}}
}

// Mon is the shared identity of all monitors.
func Mon() Identity { return Identity{"mon.", Caps{"mon": "allow *"}} }

// Mgr is the identity of one manager daemon.
func Mgr(id string) Identity {
	return Identity{"mgr." + id, Caps{"mon": "allow profile mgr", "osd": "allow *", "mds": "allow *"}}
}

// OSD is the identity of one OSD.
func OSD(id string) Identity {
	return Identity{"osd." + id, Caps{"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *"}}
}

// MonManager is the identity of mon-manager. It mints all others, so it needs
// the whole mon; it has no rights on data.
func MonManager() Identity {
	return Identity{"client.rook-mon-manager", Caps{"mon": "allow *", "mgr": "allow *"}}
}

// OSDManager is the identity of osd-manager: the OSD map, the CRUSH map and
// the keys of OSDs. It cannot change monitors, file systems or config.
func OSDManager() Identity {
	return Identity{"client.rook-osd-manager", Caps{
		"mon": `allow r, allow service osd rw, allow command "auth get" with entity prefix osd., ` +
			`allow command "auth rm" with entity prefix osd.`,
		"mgr": "allow r",
	}}
}

// MDS is the identity of one metadata server. A standby may serve any file system
// of the cluster, and no other pool.
func MDS(id string) Identity {
	return Identity{"mds." + id, mdsCaps()}
}

func mdsCaps() Caps {
	return Caps{"mon": "allow profile mds", "mgr": "allow profile mds", "osd": "allow rw tag cephfs *=*", "mds": "allow"}
}

// MDSManager is the identity of mds-manager: file systems, their pools, and
// metadata servers with exactly the capabilities of MDS. It cannot read a file,
// nor change monitors, OSDs or other users.
func MDSManager() Identity {
	caps := mdsCaps()
	return Identity{"client.rook-mds-manager", Caps{
		// Ceph counts some of its commands on file systems to the one, some to the
		// other, and asks for the right to write besides the right to a command.
		"mon": "allow r, allow service fs rw, allow service mds rw, " + commands(
			"osd pool create", "osd pool delete", "osd pool set", "osd pool set-quota", "osd pool application enable",
			"osd crush rule create-replicated", "osd crush rule rm",
			"osd erasure-code-profile set", "osd erasure-code-profile rm") +
			`, allow command "config set" with who prefix mds., allow command "config rm" with who prefix mds., ` +
			`allow command "auth get" with entity prefix mds., allow command "auth rm" with entity prefix mds., ` +
			`allow command "auth get-or-create" with entity prefix mds. caps_mon="` + caps["mon"] + `" caps_mgr="` + caps["mgr"] +
			`" caps_osd="` + caps["osd"] + `" caps_mds="` + caps["mds"] + `"`,
		"mgr": commands(
			"fs status", "fs subvolumegroup ls", "fs subvolumegroup info", "fs subvolumegroup create", "fs subvolumegroup resize",
			"fs subvolumegroup pin", "fs subvolumegroup rm", "fs subvolume ls"),
	}}
}

// RGW is the identity of the gateways of one object store, which share it. They
// read and write pools of application rgw, and no other pool; they make none, so
// all their pools have to be there.
func RGW(id string) Identity {
	return Identity{"client.rgw." + id, rgwCaps()}
}

func rgwCaps() Caps {
	return Caps{"mon": "allow r", "osd": "allow rwx tag rgw *=*"}
}

// RGWManager is the identity of rgw-manager and of its setup Jobs: pools, the
// realms in pools of application rgw, and gateways with exactly the capabilities
// of RGW and their options. It cannot change monitors, OSDs or other users, nor
// read a pool of another application.
func RGWManager() Identity {
	caps := rgwCaps()
	return Identity{"client.rook-rgw-manager", Caps{
		"mon": "allow r, " + commands(
			"osd pool create", "osd pool delete", "osd pool set", "osd pool set-quota", "osd pool application enable",
			"osd crush rule create-replicated", "osd crush rule rm",
			"osd erasure-code-profile set", "osd erasure-code-profile rm") +
			`, allow command "config set" with who prefix client.rgw., allow command "config rm" with who prefix client.rgw., ` +
			`allow command "auth get" with entity prefix client.rgw., allow command "auth rm" with entity prefix client.rgw., ` +
			`allow command "auth get-or-create" with entity prefix client.rgw. caps_mon="` + caps["mon"] +
			`" caps_osd="` + caps["osd"] + `"`,
		"osd": caps["osd"],
	}}
}

// Provisioner is the identity of provisioner for pools. Volumes are made with
// the CSI identities below.
func Provisioner() Identity {
	return Identity{"client.rook-provisioner", Caps{
		"mon": "allow r, " + commands(
			"osd pool create", "osd pool delete", "osd pool set", "osd pool set-quota",
			"osd pool application enable", "osd pool application set",
			"osd crush rule create-replicated", "osd crush rule rm",
			"osd erasure-code-profile set", "osd erasure-code-profile rm",
			"osd blocklist"),
		"mgr": "allow rw",
		"osd": "allow rwx",
	}}
}

// CSI names the four identities that ceph-csi's Secrets carry, by the name of
// the Secret without its rook- prefix.
func CSI() map[string]Identity {
	return map[string]Identity{
		"csi-rbd-provisioner": {"client.csi-rbd-provisioner", Caps{
			"mon": `profile rbd, allow command "osd blocklist"`, "mgr": "allow rw", "osd": "profile rbd"}},
		"csi-rbd-node": {"client.csi-rbd-node", Caps{
			"mon": "profile rbd", "mgr": "allow rw", "osd": "profile rbd"}},
		"csi-cephfs-provisioner": {"client.csi-cephfs-provisioner", Caps{
			"mon": `allow r, allow command "osd blocklist"`, "mgr": "allow rw",
			"osd": "allow rw tag cephfs metadata=*", "mds": "allow *"}},
		"csi-cephfs-node": {"client.csi-cephfs-node", Caps{
			"mon": "allow r", "mgr": "allow rw",
			"osd": "allow rwx tag cephfs metadata=*, allow rw tag cephfs data=*", "mds": "allow rw"}},
	}
}

// commands grants exactly the named mon commands.
func commands(prefixes ...string) string {
	grants := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		grants[i] = `allow command "` + prefix + `"`
	}
	return strings.Join(grants, ", ")
}
