//go:build corpus

// Command generate makes the disk images of the corpus: the ones that a tool
// can make with that tool, the others from the published layout of their
// metadata. It needs root, loop devices and the tools that corpus.sh installs.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// generator writes finished images to out; work holds raw files.
type generator struct{ work, out string }

func run(out string) (err error) {
	work, err := os.MkdirTemp("", "corpus")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	g := generator{work: work, out: out}
	for _, part := range []func() error{g.formatted, g.onLoop, g.tables, g.crafted, g.bluestore} {
		err = errors.Join(err, part())
	}
	return err
}

const mib = 1 << 20

// raw makes an empty sparse file.
func (g generator) raw(name string, size int64) (string, error) {
	path := filepath.Join(g.work, name)
	if err := os.RemoveAll(path); err != nil {
		return "", err
	}
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	return path, errors.Join(file.Truncate(size), file.Close())
}

// shell runs a command line; $IMG is the image.
func (g generator) shell(image, line string) error {
	command := exec.Command("/bin/sh", "-euc", line)
	command.Dir = g.work
	command.Env = append(os.Environ(), "IMG="+image, "WORK="+g.work, "LC_ALL=C")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("run %q: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// store packs a raw file into the corpus.
func (g generator) store(name, path string) error {
	image, err := corpus.Pack(path, 0x4000000, 1<<30, 10<<30, 100<<30, 1000<<30)
	if err != nil {
		return err
	}
	return g.save(name, image)
}

func (g generator) save(name string, image *corpus.Image) error {
	file, err := os.Create(filepath.Join(g.out, name+corpus.Extension))
	if err != nil {
		return err
	}
	return errors.Join(image.Encode(file), file.Close())
}

// made is one image that a tool makes in a file.
type made struct {
	name string
	size int64
	line string
}

// make makes every image that it can, and reports all that it cannot.
func (g generator) make(all []made) (failed error) {
	for _, one := range all {
		if err := g.one(one); err != nil {
			failed = errors.Join(failed, fmt.Errorf("make %s: %w", one.name, err))
		}
	}
	return failed
}

func (g generator) one(image made) error {
	path, err := g.raw(image.name, image.size*mib)
	if err != nil {
		return err
	}
	if err := g.shell(path, image.line); err != nil {
		return err
	}
	return errors.Join(g.store(image.name, path), os.Remove(path))
}

func (g generator) formatted() error {
	const wipe = `; dd if=/dev/zero of="$IMG" bs=1M count=1 conv=notrunc status=none`
	// Key material is random and does not compress; no probe looks at it.
	const keyless = `; truncate -s 64K "$IMG"; truncate -s 32M "$IMG"`
	return g.make([]made{
		{"blank", 64, `true`},
		{"ext2", 16, `mke2fs -q -F -t ext2 -L DATA "$IMG"`},
		{"ext3", 16, `mke2fs -q -F -t ext3 "$IMG"`},
		{"ext4", 16, `mke2fs -q -F -t ext4 -L ROOT "$IMG"`},
		{"ext4-journal", 16, `mke2fs -q -F -O journal_dev "$IMG"`},
		{"xfs", 320, `mkfs.xfs -q -f -L ROOT "$IMG"`},
		{"xfs-log", 64, `truncate -s 320M data; mkfs.xfs -q -f -l logdev="$IMG",size=64m data; rm data`},
		{"btrfs", 128, `mkfs.btrfs -q -f -L POOL "$IMG"`},
		{"btrfs-mirror-only", 128, `mkfs.btrfs -q -f "$IMG"` + wipe},
		{"fat12", 2, `mkfs.vfat -F 12 "$IMG"`},
		{"fat16", 32, `mkfs.vfat -F 16 -n EFI "$IMG"`},
		{"fat32", 64, `mkfs.vfat -F 32 "$IMG"`},
		{"exfat", 32, `mkfs.exfat "$IMG"`},
		{"ntfs", 32, `mkntfs -q -F -Q -s 512 -p 0 -H 16 -S 63 "$IMG"`},
		{"swap", 16, `mkswap -q -L SWAP "$IMG"`},
		{"swap-64k-pages", 16, `mkswap -q -p 65536 "$IMG"`},
		{"luks1", 32, `printf secret | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 "$IMG" -` + keyless},
		{"luks2", 32, `printf secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$IMG" -` + keyless},
		{"luks2-second-header-only", 32, `printf secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$IMG" -; dd if=/dev/zero of="$IMG" bs=16k count=1 conv=notrunc status=none` + keyless},
		{"f2fs", 64, `mkfs.f2fs -q -f "$IMG"`},
		{"f2fs-second-superblock-only", 64, `mkfs.f2fs -q -f "$IMG"; dd if=/dev/zero of="$IMG" bs=4k count=1 conv=notrunc status=none`},
		{"nilfs2", 136, `mkfs.nilfs2 -q -f "$IMG"`},
		{"nilfs2-backup-only", 136, `mkfs.nilfs2 -q -f "$IMG"` + wipe},
		{"reiserfs", 64, `mkreiserfs -q -f -f "$IMG"`},
		{"jfs", 32, `mkfs.jfs -q "$IMG"`},
		{"gfs2", 64, `mkfs.gfs2 -O -q -p lock_nolock -J 8 "$IMG"`},
		{"ocfs2", 64, `mkfs.ocfs2 -q -M local --fs-features=local -J size=4M -x -F "$IMG"`},
		{"minix", 16, `mkfs.minix "$IMG"`},
		{"minix3", 16, `mkfs.minix -3 "$IMG"`},
		{"cramfs", 1, `mkdir -p tree; echo hello > tree/file; mkfs.cramfs tree cram; dd if=cram of="$IMG" conv=notrunc status=none`},
		{"squashfs", 1, `mkdir -p tree; echo hello > tree/file; mksquashfs tree squash -noappend -quiet; dd if=squash of="$IMG" conv=notrunc status=none`},
		{"iso9660", 4, `mkdir -p tree; echo hello > tree/file; genisoimage -quiet -V MEDIA -o iso tree; dd if=iso of="$IMG" conv=notrunc status=none`},
		{"udf", 32, `mkudffs --blocksize=512 "$IMG"`},
		{"udf-2048", 32, `mkudffs --blocksize=2048 "$IMG"`},
		{"wiped-ext4", 16, `mke2fs -q -F -t ext4 "$IMG"; wipefs -q -a "$IMG"`},
		{"noise-at-start", 16, `printf 'no format at all' | dd of="$IMG" bs=1 seek=5000 conv=notrunc status=none`},
		{"noise-only-later", 16, `printf 'old data' | dd of="$IMG" bs=1 seek=8000000 conv=notrunc status=none`},
	})
}

// onLoop makes the images whose tools insist on a block device.
func (g generator) onLoop() error {
	const loop = `L=$(losetup -f --show "$IMG"); trap 'losetup -d $L' EXIT; `
	const lvm = loop + `pvcreate -qq -y --config 'devices{scan="/dev" use_devicesfile=0} global{locking_type=0 use_lvmpolld=0}' `
	return g.make([]made{
		{"lvm2", 32, lvm + `$L`},
		{"lvm2-sector0", 32, lvm + `--labelsector 0 $L`},
		{"lvm2-sector2", 32, lvm + `--labelsector 2 $L`},
		{"lvm2-sector3", 32, lvm + `--labelsector 3 $L`},
		{"bcache-backing", 32, loop + `make-bcache -B $L`},
		{"bcache-cache", 64, loop + `make-bcache -C $L`},
		{"gpt-4k-sectors", 32, `L=$(losetup -b 4096 -f --show "$IMG"); trap 'losetup -d $L' EXIT; printf 'label: gpt\nsize=4M\n' | sfdisk -q $L`},
		{"gpt-4k-sectors-backup-only", 32, `L=$(losetup -b 4096 -f --show "$IMG"); trap 'losetup -d $L' EXIT; printf 'label: gpt\nsize=4M\n' | sfdisk -q $L; dd if=/dev/zero of=$L bs=1M count=1 status=none`},
	})
}

func (g generator) tables() error {
	return g.make([]made{
		{"gpt", 32, `sgdisk -n 1:0:+4M -n 2:0:+4M -n 3:0:0 "$IMG"`},
		{"gpt-empty", 32, `sgdisk -o "$IMG"`},
		{"gpt-backup-only", 32, `sgdisk -n 1:0:+4M -n 2:0:0 "$IMG"; dd if=/dev/zero of="$IMG" bs=1M count=1 conv=notrunc status=none`},
		{"gpt-no-protective-mbr", 32, `sgdisk -n 1:0:0 "$IMG"; dd if=/dev/zero of="$IMG" bs=512 count=1 conv=notrunc status=none`},
		{"dos", 32, `printf 'label: dos\nsize=4M\nsize=8M,type=82\n' | sfdisk -q "$IMG"`},
		{"dos-empty", 32, `printf 'label: dos\n' | sfdisk -q "$IMG"`},
		{"sun", 32, `printf 'label: sun\n' | sfdisk -q "$IMG"`},
		{"sgi", 32, `printf 'label: sgi\n' | sfdisk -q "$IMG"`},
		{"bsd", 32, `parted -s "$IMG" mklabel bsd`},
		{"mac", 32, `parted -s "$IMG" mklabel mac`},
		{"amiga", 32, `parted -s "$IMG" mklabel amiga`},
		{"atari", 32, `parted -s "$IMG" mklabel atari mkpart primary ext2 1MiB 16MiB`},
	})
}
