//go:build corpus

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
)

// mkfs makes an OSD in $IMG with the Ceph of the root directory $ROOT, in a
// private mount namespace. $EXTRA are further arguments.
const mkfs = `exec unshare -m sh -euc '
mount --make-rprivate /
mount -t tmpfs tmpfs $ROOT/tmp; mkdir -p $ROOT/tmp/w
mount --bind $WORK $ROOT/tmp/w
rm -rf $WORK/data; mkdir $WORK/data; ln -s /tmp/w/$(basename $IMG) $WORK/data/block
printf "[osd.7]\n\tkey = AQBfAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==\n" > $WORK/data/keyring
: > $WORK/empty.conf
mount --bind /dev $ROOT/dev
chroot $ROOT ceph-osd -c /tmp/w/empty.conf --no-mon-config --mkfs -i 7 \
 --osd-uuid 11111111-2222-4333-8444-555555555555 --fsid aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee \
 --osd-data /tmp/w/data --osd-objectstore bluestore --log-file /dev/null --admin-socket "" \
 --bluestore-block-create false --keyring /tmp/w/data/keyring $EXTRA'`

// bluestore makes OSDs with real daemons and damages copies of them.
func (g generator) bluestore() error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	for _, release := range []string{"reef", "tentacle"} {
		root := filepath.Join(cache, "rook-ceph/rootfs/ceph-"+release)
		if _, err := os.Stat(root); err != nil {
			return fmt.Errorf("find Ceph %s: %w", release, err)
		}
		if err := errors.Join(os.Setenv("ROOT", root), os.Setenv("EXTRA", "")); err != nil {
			return err
		}
		if err := g.make([]made{{"osd-" + release, 1001 << 10, mkfs}}); err != nil {
			return err
		}
	}
	if err := os.Setenv("EXTRA", "--bluestore-block-db-path /tmp/w/db --bluestore-block-db-create true --bluestore-block-db-size 1073741824"); err != nil {
		return err
	}
	if err := g.make([]made{{"osd-with-db", 6 << 10, mkfs}}); err != nil {
		return err
	}
	if err := g.store("osd-db-device", filepath.Join(g.work, "db")); err != nil {
		return err
	}
	return g.damaged()
}

// damaged derives what wiping, crashing and failing hardware leave behind.
func (g generator) damaged() error {
	images, err := corpus.Load(g.out)
	if err != nil {
		return err
	}
	whole := images["osd-tentacle"]
	for _, keep := range bluestore.Offsets(whole.Size)[1:] {
		left := &corpus.Image{Size: whole.Size}
		if err := copyBlock(left, whole, keep); err != nil {
			return err
		}
		if err := g.save(fmt.Sprintf("osd-label-only-at-%dg", keep>>30), left); err != nil {
			return err
		}
	}
	single := &corpus.Image{Size: 64 * mib}
	if err := copyBlock(single, images["osd-reef"], 0); err != nil {
		return err
	}
	for name, change := range map[string]func([]byte){
		"osd-label-flipped-bit": func(b []byte) { b[200] ^= 1 },
		"osd-label-cut":         func(b []byte) { clear(b[128:]) },
		"osd-label-text-only":   func(b []byte) { clear(b[60:]) },
		"osd-label-damaged-and-atari": func(b []byte) {
			b[200] ^= 1
			copy(b[0x1c6:], "\x01GEM\x00\x00\x00\x02\x00\x00\x10\x00")
		},
	} {
		block := make([]byte, bluestore.BlockSize)
		if _, err := single.ReadAt(block, 0); err != nil {
			return err
		}
		change(block)
		image := &corpus.Image{Size: single.Size}
		if _, err := image.WriteAt(block, 0); err != nil {
			return err
		}
		if err := g.save(name, image); err != nil {
			return err
		}
	}
	return nil
}

func copyBlock(to, from *corpus.Image, offset int64) error {
	block := make([]byte, bluestore.BlockSize)
	if _, err := from.ReadAt(block, offset); err != nil {
		return err
	}
	_, err := to.WriteAt(block, offset)
	return err
}
