package filesystem

import (
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
}

// inspect reads what is on a device of the given size.
func inspect(device io.ReaderAt, size int64) (Contents, error) {
	report, err := probe.Scan(device, size)
	if err != nil || !report.Has("xfs") {
		return Contents{Report: report}, err
	}
	// mkfs.xfs begins with a superblock that says so, and takes that back at the end.
	const inProgress = 126
	flag := make([]byte, 1)
	if _, err := device.ReadAt(flag, inProgress); err != nil {
		return Contents{}, fmt.Errorf("read superblock of xfs: %w", err)
	}
	contents := Contents{Report: report}
	if flag[0] != 0 {
		contents.Unfinished = "xfs"
	}
	return contents, nil
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
