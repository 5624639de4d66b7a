package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// MaxBytes is the most that Kubernetes keeps of a termination message.
const MaxBytes = 4096

// maxText bounds the message, so that the encoded receipt stays below MaxBytes
// even if every rune is escaped.
const maxText = 600

// Outcome is how the preparation of a disk ended.
type Outcome string

// The outcomes.
const (
	// Prepared disks hold the OSD; it may be started.
	Prepared Outcome = "Prepared"
	// Refused disks must not be written to; nothing was.
	Refused Outcome = "Refused"
	// Wiped disks read back as blank.
	Wiped Outcome = "Wiped"
	// Failed preparations may succeed when they are tried again.
	Failed Outcome = "Failed"
)

// Receipt says what became of one disk.
type Receipt struct {
	Outcome Outcome `json:"outcome"`
	// Reason is one CamelCase word.
	Reason string `json:"reason,omitempty"`
	// Message is for people.
	Message string `json:"message,omitempty"`
	// OSDID and OSDUUID repeat what the program was asked for.
	// An OSD without a number has -1.
	OSDID   int    `json:"osdID"`
	OSDUUID string `json:"osdUUID"`
	// Device is the kernel's name of the disk while it was prepared.
	Device string `json:"device,omitempty"`
	// SizeBytes is the size of the disk.
	SizeBytes int64 `json:"sizeBytes,omitempty"`
}

// ErrMalformed is returned for text that is no receipt.
var ErrMalformed = errors.New("malformed receipt")

// Encode writes a receipt that fits into a termination message.
func Encode(r Receipt) ([]byte, error) {
	r.Message = clean(r.Message)
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	if len(body) > MaxBytes {
		return nil, fmt.Errorf("encode receipt: %d bytes: %w", len(body), ErrMalformed)
	}
	return body, nil
}

// Parse reads a termination message. It returns ErrMalformed for anything that
// Encode could not have written.
func Parse(text string) (Receipt, error) {
	if len(text) > MaxBytes {
		return Receipt{}, fmt.Errorf("parse %d bytes: %w", len(text), ErrMalformed)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	var r Receipt
	if err := decoder.Decode(&r); err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if decoder.More() {
		return Receipt{}, fmt.Errorf("text behind the receipt: %w", ErrMalformed)
	}
	if err := r.check(); err != nil {
		return Receipt{}, err
	}
	r.Message = clean(r.Message)
	return r, nil
}

var (
	word   = regexp.MustCompile(`^([A-Z][A-Za-z0-9]{0,63})?$`)
	kernel = regexp.MustCompile(`^[A-Za-z0-9!_.-]{0,63}$`)
	uuid   = regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)
)

func (r Receipt) check() error {
	switch {
	case r.Outcome != Prepared && r.Outcome != Refused && r.Outcome != Failed && r.Outcome != Wiped:
		return fmt.Errorf("outcome %.40q: %w", r.Outcome, ErrMalformed)
	case !word.MatchString(r.Reason):
		return fmt.Errorf("reason %.40q: %w", r.Reason, ErrMalformed)
	case !kernel.MatchString(r.Device):
		return fmt.Errorf("device %.40q: %w", r.Device, ErrMalformed)
	case !uuid.MatchString(r.OSDUUID):
		return fmt.Errorf("uuid %.40q: %w", r.OSDUUID, ErrMalformed)
	case r.OSDID < -1 || r.SizeBytes < 0:
		return fmt.Errorf("negative number: %w", ErrMalformed)
	}
	return nil
}

// clean makes text one bounded line of printable characters.
func clean(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }), " ")
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}
