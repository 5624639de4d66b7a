// Package real starts real Ceph daemons on loopback for tests: mons, mgrs, OSDs,
// MDSs and gateways that are up in seconds and gone when the test ends, however it
// ends.
//
// The daemons come from a Ceph root file system: the one that ROOK_CEPH_ROOTFS
// names, else those below the rook-ceph cache directory (rootfs/ceph-reef,
// rootfs/ceph-tentacle), else the host's own packages. A root file system is
// shared and stays untouched: each daemon runs chrooted in a mount namespace of
// its own, where the cluster's data directory appears at /mnt. That takes root.
//
// The package needs no Kubernetes and no ceph command line, and it never
// touches block devices unless a test asks for BlueStore on one. It is
// imported by tests only.
package real
