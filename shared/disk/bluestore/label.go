package bluestore

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// Magic is the line that every BlueStore label begins with.
const Magic = "bluestore block device\n"

// BlockSize is the space that one label occupies on the device.
const BlockSize = 4096

// encodedAt is where the encoded structure starts: behind the magic line and
// the textual uuid with its newline.
const encodedAt = len(Magic) + 36 + 1

// maxMeta bounds the number of meta entries a label may claim to hold.
const maxMeta = 256

var (
	// ErrNoLabel says that the bytes do not begin with the magic line.
	ErrNoLabel = errors.New("no BlueStore label")
	// ErrCorrupt says that the magic line is there but the rest cannot be
	// trusted: truncated, inconsistent, or with a wrong checksum.
	ErrCorrupt = errors.New("corrupt BlueStore label")
)

// Label is the decoded content of one BlueStore label.
type Label struct {
	// OSDUUID identifies the OSD, lower case with dashes.
	OSDUUID string
	// SizeBytes is the size of the device when the label was written.
	SizeBytes uint64
	// Created is the birth time of the device.
	Created time.Time
	// Description is the role of the device: "main", "bluefs db" or "bluefs wal".
	Description string
	// Meta holds the remaining entries, without any that carries a secret.
	Meta map[string]string
}

// FSID returns the fsid of the Ceph cluster that owns the device, or "" when
// the label names none (bluefs db and wal devices do not).
func (l Label) FSID() string { return l.Meta["ceph_fsid"] }

// OSDID returns the id of the OSD; ok is false when the label holds none.
func (l Label) OSDID() (id int, ok bool) {
	id, err := strconv.Atoi(l.Meta["whoami"])
	return id, err == nil && id >= 0
}

// Ready reports whether mkfs of the OSD ended: a label without it belongs to an
// OSD whose preparation was interrupted.
func (l Label) Ready() bool { return l.Meta["ready"] == "ready" }

// Multi reports whether the label says that copies exist at further offsets.
func (l Label) Multi() bool { return l.Meta["multi"] == "yes" }

// Epoch returns the generation of a repeated label; copies with a lower epoch
// are stale. It is 0 for a label that is not repeated.
func (l Label) Epoch() uint64 {
	epoch, err := strconv.ParseUint(l.Meta["epoch"], 10, 64)
	if err != nil {
		return 0
	}
	return epoch
}

// Parse decodes the label at the beginning of block, which should hold
// BlockSize bytes. It returns ErrNoLabel when the magic line is missing and
// ErrCorrupt, wrapped with the cause, for everything else that is wrong.
func Parse(block []byte) (Label, error) {
	if !bytes.HasPrefix(block, []byte(Magic)) {
		return Label{}, ErrNoLabel
	}
	if len(block) > BlockSize {
		block = block[:BlockSize]
	}
	if len(block) < encodedAt {
		return Label{}, fmt.Errorf("%w: ends after %d bytes", ErrCorrupt, len(block))
	}
	d := decoder{rest: block[encodedAt:]}
	label := d.label()
	if d.err != nil {
		return Label{}, fmt.Errorf("%w: %w", ErrCorrupt, d.err)
	}
	covered := len(block) - len(d.rest)
	stored := d.uint32()
	if d.err != nil {
		return Label{}, fmt.Errorf("%w: read checksum: %w", ErrCorrupt, d.err)
	}
	if computed := checksum(block[:covered]); computed != stored {
		return Label{}, fmt.Errorf("%w: checksum is %08x, should be %08x", ErrCorrupt, stored, computed)
	}
	if text := strings.TrimRight(string(block[len(Magic):encodedAt]), "\n"); text != label.OSDUUID {
		return Label{}, fmt.Errorf("%w: textual uuid %q differs from %s", ErrCorrupt, text, label.OSDUUID)
	}
	return label, nil
}

// checksum is Ceph's crc32c with seed -1: Castagnoli without the final inversion.
func checksum(data []byte) uint32 {
	return ^crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
}

// decoder reads Ceph's little-endian encoding and remembers the first error.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) label() Label {
	version, compat := d.uint8(), d.uint8()
	length := d.uint32()
	if d.err == nil && compat > 2 {
		d.err = fmt.Errorf("structure version %d needs a decoder for %d", version, compat)
	}
	body := decoder{rest: d.take(uint64(length)), err: d.err}
	label := Label{OSDUUID: body.uuid(), SizeBytes: body.uint64()}
	seconds, nanos := body.uint32(), body.uint32()
	label.Created = time.Unix(int64(seconds), int64(nanos)).UTC()
	label.Description = body.text()
	if version >= 2 {
		label.Meta = body.meta()
	}
	if d.err == nil {
		d.err = body.err
	}
	return label
}

// meta decodes the string map and drops entries that carry secrets.
func (d *decoder) meta() map[string]string {
	count := d.uint32()
	if d.err == nil && count > maxMeta {
		d.err = fmt.Errorf("%d meta entries", count)
	}
	meta := map[string]string{}
	for range count {
		key, value := d.text(), d.text()
		if d.err != nil {
			return nil
		}
		if !strings.Contains(key, "key") && !strings.Contains(key, "secret") {
			meta[key] = value
		}
	}
	return meta
}

func (d *decoder) take(n uint64) []byte {
	if d.err != nil {
		return nil
	}
	if n > uint64(len(d.rest)) {
		d.err = fmt.Errorf("needs %d bytes, %d are left", n, len(d.rest))
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) uint8() uint8 {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) text() string { return string(d.take(uint64(d.uint32()))) }

func (d *decoder) uuid() string {
	b := d.take(16)
	if b == nil {
		return ""
	}
	text := hex.EncodeToString(b)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
