package probe

import (
	"fmt"
	"io"

	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
)

// BlankBytes is how much of the start of a device has to be zero before it
// counts as blank.
const BlankBytes = 64 << 10

// MinBytes is the smallest device that is looked at; smaller ones hold nothing
// that could be told apart.
const MinBytes = 64 << 10

// Report is all that was found on a device.
type Report struct {
	// Signatures are in the order of the checks, which is stable.
	Signatures []Signature
	// Labels are the BlueStore labels, damaged ones included, by offset.
	Labels []bluestore.Found
	// UnknownAt is the offset of the first byte within BlankBytes that is not
	// zero, when no signature was found at all; -1 otherwise.
	UnknownAt int64
}

// Blank reports whether nothing was found: no signature, no label, no data.
func (r Report) Blank() bool {
	return len(r.Signatures) == 0 && len(r.Labels) == 0 && r.UnknownAt < 0
}

// Has reports whether a signature of the given type was found.
func (r Report) Has(typ string) bool {
	for _, signature := range r.Signatures {
		if signature.Type == typ {
			return true
		}
	}
	return false
}

// Scan reads a device of the given size and reports what is on it. It returns
// an error when any of the places that it has to see cannot be read; the
// report is then incomplete and must not be taken as blank.
func Scan(device io.ReaderAt, size int64) (Report, error) {
	report := Report{UnknownAt: -1}
	if size < MinBytes {
		return report, fmt.Errorf("probe device: %d bytes are too few", size)
	}
	w := newWindow(device, size)
	labels, err := bluestore.Read(windowReader{w}, size)
	if err != nil {
		return report, fmt.Errorf("probe device: %w", err)
	}
	report.Labels = labels
	for _, label := range labels {
		report.Signatures = append(report.Signatures, Signature{Type: "ceph_bluestore", Kind: BlueStore, Offset: label.Offset, UUID: label.Label.OSDUUID})
	}
	for _, check := range checks() {
		report.Signatures = append(report.Signatures, check(w)...)
	}
	if len(report.Signatures) == 0 {
		report.UnknownAt = firstData(w)
	}
	if w.err != nil {
		return report, fmt.Errorf("probe device: %w", w.err)
	}
	return report, nil
}

// check looks for one family of signatures.
type check func(*window) []Signature

func checks() []check {
	return []check{
		gpt, mbr, atari, otherTables,
		fixed,
		ext, swap, fat, xfsLog, ufs, minix,
		linuxRAID, ddf, firmwareRAID, sumRAID,
		zfs, drbd, nilfsBackup, ldmBackup,
	}
}

// firstData returns the offset of the first byte that is not zero, or -1.
func firstData(w *window) int64 {
	for offset := int64(0); offset < BlankBytes; offset += chunkSize {
		for i, b := range w.at(offset, chunkSize) {
			if b != 0 {
				return offset + int64(i)
			}
		}
	}
	return -1
}

// windowReader lets the label reader share the chunks of a window.
type windowReader struct{ *window }

// ReadAt implements io.ReaderAt within the bounds of the window.
func (r windowReader) ReadAt(out []byte, offset int64) (int, error) {
	data := r.at(offset, len(out))
	if data == nil {
		if r.err != nil {
			return 0, r.err
		}
		return 0, io.EOF
	}
	return copy(out, data), nil
}
