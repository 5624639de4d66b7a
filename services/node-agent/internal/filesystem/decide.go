package filesystem

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

// Action is what has to be done before a mount.
type Action int

const (
	// Mount the file system that is there.
	Mount Action = iota
	// Make a new file system, then mount it.
	Make
)

var (
	// ErrForeignData is returned for a device with something else than a file system.
	ErrForeignData = errors.New("device holds data that is no file system")
	// ErrDataMissing is returned for a blank device of a volume that was formatted.
	ErrDataMissing = errors.New("file system is gone")
	// ErrUnsupported is returned for a file system that cannot be made.
	ErrUnsupported = errors.New("file system is not supported")
)

// Decide says what to do with a device, from the journal's record and from
// what was found on the device. wanted is the file system that was asked for;
// one that exists already wins. Only a blank device is formatted, or what a mkfs that was
// begun on a blank one and did not end left there.
func Decide(recorded journal.Format, found Contents, wanted string) (Action, string, error) {
	switch recorded.State {
	case journal.Formatting:
		// mkfs ended and its record was lost, or it was interrupted.
		if found.remains() {
			return Make, wanted, supported(wanted)
		}
		return existing(found, recorded.Type)
	case journal.Formatted:
		if found.Blank() {
			return Mount, "", fmt.Errorf("%w: the journal says that %s was made and the device is blank", ErrDataMissing, recorded.Type)
		}
		return existing(found, recorded.Type)
	}
	if found.Blank() {
		return Make, wanted, supported(wanted)
	}
	return existing(found, "")
}

// existing finds the file system to mount among the signatures.
func existing(found Contents, recorded string) (Action, string, error) {
	var others []string
	for _, signature := range found.Signatures {
		if signature.Type == found.Unfinished {
			others = append(others, signature.String()+", which was never finished")
			continue
		}
		if signature.Kind != probe.Filesystem {
			others = append(others, signature.String())
			continue
		}
		if supported(signature.Type) == nil || signature.Type == "ext3" || signature.Type == "ext2" || signature.Type == recorded {
			return Mount, signature.Type, nil
		}
		others = append(others, signature.String())
	}
	if found.UnknownAt >= 0 {
		others = append(others, fmt.Sprintf("unknown data at offset %d", found.UnknownAt))
	}
	return Mount, "", fmt.Errorf("%w: %s", ErrForeignData, strings.Join(others, "; "))
}

func supported(kind string) error {
	if _, ok := makers()[kind]; !ok {
		return fmt.Errorf("%w: %q; use ext4 or xfs", ErrUnsupported, kind)
	}
	return nil
}
