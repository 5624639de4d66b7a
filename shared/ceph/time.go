package ceph

import (
	"bytes"
	"time"
)

// timeLayout is how Ceph prints a moment.
const timeLayout = "2006-01-02T15:04:05.999999-0700"

// Time is a moment as Ceph prints it. What was never set, or is printed in
// another way, is the zero time.
type Time struct{ time.Time }

// UnmarshalJSON reads what Ceph prints. It never fails: an unknown time must
// not keep the rest of a reply from being read.
func (t *Time) UnmarshalJSON(body []byte) error {
	parsed, err := time.Parse(timeLayout, string(bytes.Trim(body, `"`)))
	if err != nil {
		parsed = time.Time{}
	}
	t.Time = parsed
	return nil
}

// MarshalJSON writes the moment as Ceph does.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte(`"0.000000"`), nil
	}
	return []byte(`"` + t.UTC().Format("2006-01-02T15:04:05.000000-0700") + `"`), nil
}
