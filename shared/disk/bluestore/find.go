package bluestore

import (
	"errors"
	"fmt"
	"io"
)

// Offsets returns every offset at which a release of Ceph may keep a label on
// a device of the given size.
func Offsets(size int64) []int64 {
	const gib = 1 << 30
	var fit []int64
	for _, offset := range []int64{0, 1 * gib, 10 * gib, 100 * gib, 1000 * gib} {
		if offset+BlockSize <= size {
			fit = append(fit, offset)
		}
	}
	return fit
}

// Found is what one label offset holds.
type Found struct {
	// Offset is the position on the device.
	Offset int64
	// Label is valid when Err is nil.
	Label Label
	// Err wraps ErrCorrupt when the magic line is there but the label is damaged.
	Err error
}

// Read looks at every label offset of a device and returns those that hold a
// label, damaged or not, in ascending order. It fails only when the device
// cannot be read.
func Read(device io.ReaderAt, size int64) ([]Found, error) {
	var found []Found
	block := make([]byte, BlockSize)
	for _, offset := range Offsets(size) {
		if _, err := device.ReadAt(block, offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read label at %d: %w", offset, err)
		}
		label, err := Parse(block)
		if errors.Is(err, ErrNoLabel) {
			continue
		}
		found = append(found, Found{Offset: offset, Label: label, Err: err})
	}
	return found, nil
}

// Identity picks the label that says whose device it is: the one with the
// highest epoch, the lowest offset among equals. ok is false when no label is
// intact. A copy away from offset 0 counts only when it says that it is one of
// several, because the data area of an older OSD may hold anything there.
func Identity(found []Found) (best Found, ok bool) {
	for _, candidate := range found {
		if candidate.Err != nil || (candidate.Offset > 0 && !candidate.Label.Multi()) {
			continue
		}
		if !ok || candidate.Label.Epoch() > best.Label.Epoch() {
			best, ok = candidate, true
		}
	}
	return best, ok
}
