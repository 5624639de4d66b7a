#!/bin/sh
# Makes the disk images of the corpus again. Only needed to add an image: the
# tests read the stored ones. Needs root, loop devices, Debian or Ubuntu, and
# the two Ceph root directories that `make images` leaves in the cache.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
	bcache-tools btrfs-progs cryptsetup-bin dosfstools e2fsprogs exfatprogs f2fs-tools fdisk gdisk genisoimage \
	gfs2-utils jfsutils lvm2 nilfs-tools ntfs-3g ocfs2-tools parted reiserfsprogs squashfs-tools udftools xfsprogs
rm -rf "$here/corpus"
cd "$here/../../../"
go run -tags corpus ./disk/internal/corpus/generate "$here/corpus"
du -sh "$here/corpus"
