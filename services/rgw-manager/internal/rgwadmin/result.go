package rgwadmin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	// MaxBytes is the most that Kubernetes keeps of a termination message.
	MaxBytes = 4096
	// maxText bounds the message, so that a Result fits even if all is escaped.
	maxText = 500
)

// Outcome is how Apply ended.
type Outcome string

// The outcomes.
const (
	// Applied means that all is as wanted.
	Applied Outcome = "Applied"
	// Refused means that Apply must not do it. Somebody has to decide.
	Refused Outcome = "Refused"
	// Failed means that it may work when it is tried again.
	Failed Outcome = "Failed"
)

// Result is what Apply brought about.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Reason is one CamelCase word, Message is for people. Both are empty for
	// Applied.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Hash is that of the Wanted.
	Hash string `json:"hash"`
	// Known are the ids of what is there now.
	Known Known `json:"known,omitzero"`
	// Master tells whether the zone is the master zone of its realm, where users
	// are made.
	Master bool `json:"master,omitempty"`
	// Changed tells whether anything was changed.
	Changed bool `json:"changed,omitempty"`
}

// ErrMalformed is returned for text that is no Result.
var ErrMalformed = errors.New("malformed result")

// Refusal is an error of Apply that no repetition mends.
type Refusal struct {
	Reason, Message string
}

func (r *Refusal) Error() string { return r.Message }

func refuse(reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Concluded turns what Apply returned into what is reported of it.
func Concluded(result Result, err error) Result {
	var refusal *Refusal
	var failed *Error
	switch {
	case err == nil:
		result.Outcome = Applied
	case errors.As(err, &refusal):
		result.Outcome, result.Reason, result.Message = Refused, refusal.Reason, refusal.Message
	case errors.As(err, &failed) && failed.Denied():
		result.Outcome, result.Reason, result.Message = Failed, "Denied", err.Error()
	default:
		result.Outcome, result.Reason, result.Message = Failed, "SetupFailed", err.Error()
	}
	return result
}

// Encode writes a result that fits into a termination message.
func Encode(r Result) ([]byte, error) {
	r.Message = clean(r.Message)
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	if len(body) > MaxBytes {
		return nil, fmt.Errorf("encode result: %d bytes: %w", len(body), ErrMalformed)
	}
	return body, nil
}

// Parse reads a termination message. It returns ErrMalformed for anything that
// Encode could not have written: the node that wrote it may be in foreign hands.
func Parse(text string) (Result, error) {
	if len(text) > MaxBytes {
		return Result{}, fmt.Errorf("parse %d bytes: %w", len(text), ErrMalformed)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	var r Result
	if err := decoder.Decode(&r); err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if decoder.More() {
		return Result{}, fmt.Errorf("text behind the result: %w", ErrMalformed)
	}
	if err := r.check(); err != nil {
		return Result{}, err
	}
	r.Message = clean(r.Message)
	return r, nil
}

var (
	word = regexp.MustCompile(`^([A-Z][A-Za-z0-9]{0,63})?$`)
	hash = regexp.MustCompile(`^[0-9a-f]{20}$`)
	id   = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)
)

func (r Result) check() error {
	switch {
	case r.Outcome != Applied && r.Outcome != Refused && r.Outcome != Failed:
		return fmt.Errorf("outcome %.40q: %w", r.Outcome, ErrMalformed)
	case !word.MatchString(r.Reason):
		return fmt.Errorf("reason %.40q: %w", r.Reason, ErrMalformed)
	case !hash.MatchString(r.Hash):
		return fmt.Errorf("hash %.40q: %w", r.Hash, ErrMalformed)
	case !id.MatchString(r.Known.RealmID) || !id.MatchString(r.Known.ZoneGroupID) || !id.MatchString(r.Known.ZoneID):
		return fmt.Errorf("ids %.40q: %w", r.Known, ErrMalformed)
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
