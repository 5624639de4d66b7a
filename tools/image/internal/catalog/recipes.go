package catalog

import (
	"slices"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// clientSuite is the Debian release of the client libraries. A client of this
// version talks to all Ceph releases that we support.
const clientSuite = "trixie"

// cephFuse is the package with the user-space CephFS client. Debian does not
// build it for every architecture.
const cephFuse = "ceph-fuse"

// prepareManager mends and compiles the manager's Python modules. All of them
// are imported whenever a manager starts; uncompiled, on a read-only root, that
// takes most of its start.
const prepareManager = lazyBcrypt + silentTasks + `
chroot "$1" python3 -m compileall -q --invalidation-mode unchecked-hash /usr/share/ceph/mgr`

// lazyBcrypt makes the manager import bcrypt where it hashes a password, not
// when any module starts: as an extension made with PyO3 it refuses to load a
// second time in one process, so all but one module would fail to start.
const lazyBcrypt = `f="$1/usr/share/ceph/mgr/mgr_util.py"
if grep -q '^import bcrypt$' "$f"; then
  sed -i -e '/^import bcrypt$/d' -e 's/^def password_hash(.*:$/&\n    import bcrypt/' "$f"
  grep -q '^    import bcrypt$' "$f"
fi`

// silentTasks makes the manager's RBD tasks run without telling how far they
// are. librbd would call back from a thread of its own, and with Debian's
// Python that call ends in the wrong interpreter and takes the manager down, at
// every start anew while the task is not done.
const silentTasks = `
f="$1/usr/share/ceph/mgr/rbd_support/task.py"
sed -i -e 's/on_progress=partial(self.progress_callback, task)/on_progress=None/' "$f"
test "$(grep -c 'on_progress=None' "$f")" -ge 6`

func hasCephFuse(platform debian.Platform) bool { return platform.Arch == "amd64" }

// Recipe returns the recipe of the release for a platform: a whole Ceph, with
// every daemon, the command line and the tools that the daemons call.
func (r Release) Recipe(platform debian.Platform) debian.Recipe {
	recipe := debian.Recipe{
		Name: "ceph-" + r.Series, Suite: r.Suite, Variant: debian.Installed, Versioned: "ceph-common", Customize: prepareManager,
		Packages: []string{
			"ceph-mon", "ceph-mgr", "ceph-mgr-modules-core", "ceph-mgr-dashboard", "ceph-osd", "ceph-mds", "radosgw",
			"ceph-common", "ceph-volume", "rbd-nbd", "rbd-mirror",
			// ceph-volume asks udevadm and lvm; encryption wants cryptsetup.
			"udev", "lvm2", "gdisk", "parted", "cryptsetup-bin", "e2fsprogs", "xfsprogs", "util-linux",
			"procps", "kmod", "iproute2", "ca-certificates",
			// Clients of object stores, for the toolbox.
			"s3cmd", "python3-swiftclient",
		},
		Shape: tree.Shape{
			Drop: []string{
				"usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/", "usr/share/doc/",
				"usr/share/bug/", "usr/share/zsh/", "usr/share/fish/", "usr/share/bash-completion/",
				"var/lib/apt/lists/", "var/cache/", "var/log/", "var/lib/dpkg/*-old", "dev/", "run/", "tmp/",
				// Facts about the machine that the image was made on.
				"etc/hostname", "etc/resolv.conf", "etc/machine-id", "etc/apt/sources.list", "etc/apt/sources.list.d/",
				// Random identities, which two machines must not share.
				"etc/nvme/hostid", "etc/nvme/hostnqn", "var/lib/dbus/machine-id",
				// Hardware names for people; nothing here asks for them.
				"usr/lib/udev/hwdb.bin", "usr/lib/udev/hwdb.d/",
				"usr/share/ceph/mgr/dashboard/frontend/dist/*/",
				"usr/bin/radosgw-object-expirer", "usr/bin/ceph-osdomap-tool",
			},
			Keep: []string{"usr/share/doc/*/copyright", "usr/share/ceph/mgr/dashboard/frontend/dist/en-US/"},
			Directories: []tree.Directory{
				{Path: "run/ceph", Mode: 0o770, Owner: "ceph"},
				{Path: "var/log/ceph", Mode: 0o2770, Owner: "ceph"},
				{Path: "var/lib/ceph", Mode: 0o755, Owner: "ceph"},
				{Path: "var/lib/ceph/crash/posted", Mode: 0o750, Owner: "ceph"},
				{Path: "tmp", Mode: 0o1777},
			},
		},
	}
	if hasCephFuse(platform) {
		recipe.Packages = append(recipe.Packages, cephFuse)
	}
	return recipe
}

// Skeleton is what every service image has, whatever is below its programs.
func Skeleton() tree.Shape {
	return tree.Shape{
		Directories: []tree.Directory{{Path: "tmp", Mode: 0o1777}, {Path: "run", Mode: 0o755}},
		Files: []tree.File{
			{Path: "etc/passwd", Text: "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"},
			{Path: "etc/group", Text: "root:x:0:\nnonroot:x:65532:\n"},
			{Path: "etc/nsswitch.conf", Text: "passwd: files\ngroup: files\nhosts: files dns\n"},
		},
	}
}

// clientShape is the skeleton with the root certificates and the parts of the
// C library that programs load by name.
func clientShape(roots ...string) tree.Shape {
	shape := Skeleton()
	shape.Roots = append([]string{
		// The links that make /bin, /lib and their like part of /usr.
		"bin", "sbin", "lib*",
		"usr/lib/*/librados.so.2", "usr/lib/*/librbd.so.1", "usr/lib/*/libcephfs.so.2",
		"usr/lib/*/libc.so.6", "usr/lib/*/libm.so.6", "usr/lib/*/libdl.so.2", "usr/lib/*/librt.so.1",
		"usr/lib/*/libpthread.so.0", "usr/lib/*/libresolv.so.2",
		"etc/debian_version", "usr/lib/os-release", "etc/os-release",
	}, roots...)
	shape.Bundle, shape.BundleOf = "etc/ssl/certs/ca-certificates.crt", "usr/share/ca-certificates/mozilla/*.crt"
	return shape
}

// clientPackages are those that clientShape takes files from.
func clientPackages(more ...string) []string {
	packages := append([]string{"base-files", "librados2", "librbd1", "libcephfs2", "ca-certificates"}, more...)
	slices.Sort(packages)
	return packages
}

func radosRecipe() debian.Recipe {
	return debian.Recipe{
		Name: "rados", Suite: clientSuite, Variant: debian.Extracted, Versioned: "librados2",
		Packages: clientPackages(), Shape: clientShape(),
	}
}

// nodeRecipe adds what attaches and mounts volumes: the three ways to reach an
// image without the kernel's rbd, the file systems, and mount with its kin.
func nodeRecipe(platform debian.Platform) debian.Recipe {
	recipe := debian.Recipe{
		Name: "node", Suite: clientSuite, Variant: debian.Extracted, Versioned: "librados2",
		Packages: clientPackages("qemu-utils", "qemu-block-extra", "fuse3", "rbd-nbd", "e2fsprogs", "xfsprogs",
			"util-linux", "mount", "kmod", "cryptsetup-bin", "dash"),
		Shape: clientShape(
			"usr/bin/qemu-storage-daemon", "usr/lib/*/qemu/block-rbd.so",
			"usr/bin/fusermount3", "usr/bin/fusermount", "etc/fuse.conf", "usr/bin/rbd-nbd",
			"usr/sbin/mkfs.ext4", "usr/sbin/mke2fs", "usr/sbin/fsck.ext4", "usr/sbin/e2fsck", "usr/sbin/resize2fs",
			"usr/sbin/tune2fs", "usr/sbin/dumpe2fs", "etc/mke2fs.conf",
			"usr/sbin/mkfs.xfs", "usr/sbin/fsck.xfs", "usr/sbin/xfs_repair", "usr/sbin/xfs_growfs", "usr/sbin/xfs_io",
			"usr/sbin/xfs_db", "usr/sbin/xfs_admin", "usr/share/xfsprogs/mkfs/*",
			"usr/bin/mount", "usr/bin/umount", "usr/bin/findmnt", "usr/bin/lsblk", "usr/bin/nsenter",
			"usr/sbin/blkid", "usr/sbin/blockdev", "usr/sbin/losetup", "usr/sbin/fsck", "usr/sbin/mkfs",
			"usr/sbin/wipefs", "usr/sbin/fstrim", "usr/sbin/cryptsetup",
			"usr/bin/kmod", "usr/sbin/modprobe", "usr/bin/sh", "usr/bin/dash",
		),
	}
	if hasCephFuse(platform) {
		recipe.Packages = append(recipe.Packages, cephFuse)
		recipe.Shape.Roots = append(recipe.Shape.Roots, "usr/bin/ceph-fuse")
	}
	return recipe
}

// Sysroot returns the recipe of the headers and libraries that programs with
// librados are built with. It is never part of an image.
func Sysroot() debian.Recipe {
	return debian.Recipe{
		Name: "sysroot", Suite: clientSuite, Variant: debian.Extracted, Versioned: "librados2",
		Packages: []string{"base-files", "libc6-dev", "linux-libc-dev", "librados-dev", "librbd-dev", "libcephfs-dev"},
		Shape:    tree.Shape{Drop: []string{"usr/share/", "usr/bin/", "usr/sbin/", "usr/lib/*/gconv/", "var/"}},
	}
}
