package catalog

import "github.com/rook-ceph/rook-ceph/tools/image/internal/debian"

// Check is a command that must work in an image and say something.
type Check struct {
	// Command is run with the image's file system as root.
	Command []string
	// Says is part of the command's output.
	Says string
	// Fails allows the command to fail, as long as it says what it should.
	Fails bool
}

// Checks returns what proves that a service image works: every program of the
// base that can say its version does so, and the service itself loads.
func (s Service) Checks(platform debian.Platform) []Check {
	self := Check{Command: []string{"/usr/local/bin/" + s.Name, "--version"}, Says: s.Name}
	if s.Base != Empty {
		self.Says = "librados: built"
	}
	checks := []Check{self}
	if s.Base != Node {
		return checks
	}
	if hasCephFuse(platform) {
		checks = append(checks, Check{Command: []string{"ceph-fuse", "--version"}, Says: "ceph version"})
	}
	return append(checks,
		Check{Command: []string{"qemu-storage-daemon", "--version"}, Says: "qemu-storage-daemon version"},
		// Only the plug-in of the rbd driver looks for a configuration.
		Check{
			Command: []string{"qemu-storage-daemon", "--blockdev", "driver=rbd,node-name=n,pool=p,image=i,conf=/absent"},
			Says:    "error reading conf file /absent", Fails: true,
		},
		// Only a build with FUSE looks for the mount point.
		Check{
			Command: []string{
				"qemu-storage-daemon", "--blockdev", "driver=null-co,node-name=n",
				"--export", "type=fuse,id=e,node-name=n,mountpoint=/absent",
			},
			Says: "Failed to stat '/absent'", Fails: true,
		},
		Check{Command: []string{"rbd-nbd", "--version"}, Says: "ceph version"},
		Check{Command: []string{"fusermount3", "--version"}, Says: "fusermount3 version"},
		Check{Command: []string{"mount", "--version"}, Says: "mount from util-linux"},
		Check{Command: []string{"umount", "--version"}, Says: "umount from util-linux"},
		Check{Command: []string{"mkfs.ext4", "-V"}, Says: "mke2fs"},
		Check{Command: []string{"mkfs.xfs", "-V"}, Says: "mkfs.xfs version"},
		Check{Command: []string{"xfs_growfs", "-V"}, Says: "xfs_growfs version"},
		Check{Command: []string{"xfs_repair", "-V"}, Says: "xfs_repair version"},
		Check{Command: []string{"blkid", "--version"}, Says: "blkid from util-linux"},
		Check{Command: []string{"losetup", "--version"}, Says: "losetup from util-linux"},
		Check{Command: []string{"modprobe", "--version"}, Says: "kmod version"},
		Check{Command: []string{"cryptsetup", "--version"}, Says: "cryptsetup"},
	)
}

// CephChecks returns what proves that a Ceph image works.
func CephChecks(platform debian.Platform) []Check {
	var checks []Check
	if hasCephFuse(platform) {
		checks = append(checks, Check{Command: []string{cephFuse, "--version"}, Says: "ceph version"})
	}
	for _, daemon := range []string{"ceph-mon", "ceph-mgr", "ceph-osd", "ceph-mds", "radosgw", "rbd-mirror", "rbd-nbd"} {
		checks = append(checks, Check{Command: []string{daemon, "--version"}, Says: "ceph version"})
	}
	return append(checks,
		Check{Command: []string{"ceph", "--version"}, Says: "ceph version"},
		Check{Command: []string{"rbd", "--version"}, Says: "ceph version"},
		Check{Command: []string{"ceph-volume", "--help"}, Says: "ceph-volume"},
		Check{Command: []string{"udevadm", "--version"}},
		Check{Command: []string{"lvm", "version"}, Says: "LVM version"},
		Check{Command: []string{"id", "ceph"}, Says: "ceph"},
		Check{Command: []string{"s3cmd", "--version"}, Says: "s3cmd version"},
		Check{Command: []string{"swift", "--version"}, Says: "swiftclient"},
	)
}
