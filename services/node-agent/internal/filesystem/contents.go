package filesystem

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

// Contents is what is on a device.
type Contents struct {
	probe.Report
	// Unfinished names a file system whose making was begun and did not end, or is
	// empty. It cannot be mounted. Of ext4 nothing is recognised before the end: mkfs
	// writes the superblock last.
	Unfinished string
	// Spare is how many bytes of the device are beyond its file system, ext or xfs.
	Spare int64
}

// Outgrown tells whether the device has grown since its file system was made. A mkfs leaves
// an end unused that is too small for a group of blocks; that is no growth.
func (c Contents) Outgrown() bool {
	const group = 16 << 20
	return c.Spare >= group
}

// inspect reads what is on a device of the given size.
func inspect(device io.ReaderAt, size int64) (Contents, error) {
	report, err := probe.Scan(device, size)
	contents := Contents{Report: report}
	if err != nil {
		return contents, err
	}
	var used int64
	switch {
	case report.Has("xfs"):
		used, contents.Unfinished, err = readXFS(device)
	case report.Has("ext4"), report.Has("ext3"), report.Has("ext2"):
		used, err = readExt(device)
	default:
		return contents, nil
	}
	if err != nil {
		return Contents{}, err
	}
	contents.Spare = max(0, size-used)
	return contents, nil
}

// readXFS returns the size of an xfs, and its name while it is not finished: mkfs.xfs begins
// with a superblock that says so, and takes that back at the end.
func readXFS(device io.ReaderAt) (size int64, unfinished string, err error) {
	const length, blockSize, blocks, inProgress = 128, 4, 8, 126
	super := make([]byte, length)
	if _, err := device.ReadAt(super, 0); err != nil {
		return 0, "", fmt.Errorf("read superblock of xfs: %w", err)
	}
	if super[inProgress] != 0 {
		unfinished = "xfs"
	}
	return int64(binary.BigEndian.Uint64(super[blocks:])) * int64(binary.BigEndian.Uint32(super[blockSize:])), unfinished, nil
}

// readExt returns the size of an ext2, ext3 or ext4.
func readExt(device io.ReaderAt) (int64, error) {
	const offset, length, blocksLow, blockSize, incompatible, blocksHigh = 1024, 1024, 0x4, 0x18, 0x60, 0x150
	const wide, smallest = 0x80, 1024
	super := make([]byte, length)
	if _, err := device.ReadAt(super, offset); err != nil {
		return 0, fmt.Errorf("read superblock of ext: %w", err)
	}
	number := func(at int) uint32 { return binary.LittleEndian.Uint32(super[at:]) }
	blocks := int64(number(blocksLow))
	if number(incompatible)&wide != 0 {
		blocks += int64(number(blocksHigh)) << 32
	}
	return blocks * smallest << (number(blockSize) & 0xf), nil
}

// remains tells whether the device holds no more than a mkfs that did not end left
// on it. The caller knows that mkfs was begun on a blank device.
func (c Contents) remains() bool {
	if len(c.Labels) > 0 {
		return false
	}
	for _, signature := range c.Signatures {
		if signature.Kind != probe.Filesystem || signature.Type != c.Unfinished {
			return false
		}
	}
	return true
}
