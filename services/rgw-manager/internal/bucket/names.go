package bucket

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

const (
	minName = 3
	maxName = 63
)

// wellFormed is what S3 accepts, but for two dots in a row and addresses.
var wellFormed = regexp.MustCompile(`^[a-z0-9][-.a-z0-9]*[a-z0-9]$`)

// Generated is the name of a bucket that begins with a prefix. It follows from the
// uid of the claim, so that a pass that was interrupted finds its own bucket again.
func Generated(prefix, uid string) string {
	room := maxName - len(uid) - 1
	if len(prefix) > room {
		prefix = strings.TrimRight(prefix[:max(room, 0)], "-.")
	}
	if prefix == "" {
		return uid
	}
	return prefix + "-" + uid
}

// CheckName says what is wrong with a name; nil if nothing is.
func CheckName(name string) error {
	switch {
	case len(name) < minName || len(name) > maxName:
		return fmt.Errorf("bucket name '%s' must have %d to %d characters", name, minName, maxName)
	case !wellFormed.MatchString(name) || strings.Contains(name, ".."):
		return fmt.Errorf("bucket name '%s' must consist of small letters, digits, '-' and single '.', and begin and end with a letter or digit", name)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("bucket name '%s' must not be an address", name)
	}
	return nil
}
