package csi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ErrMountOption is returned for an option of a CephFS mount that is not the
// user's to set.
var ErrMountOption = errors.New("mount option refused")

// CheckMountOptions refuses lists of options of a CephFS mount that say who mounts
// or what, which the volume and its Secret say, or that hold what is no option. The
// error names the option and never its value, which may be a key.
func CheckMountOptions(lists ...string) error {
	reserved := []string{
		"name", "id", "secret", "secretfile", "key", "keyring", "conf", "fsid", "mon_addr", "mon_host", "mds_namespace", "fs", "source",
	}
	for _, list := range lists {
		if strings.ContainsFunc(list, unicode.IsControl) {
			return fmt.Errorf("%w: a line break or another control character is in it; separate options by commas", ErrMountOption)
		}
		for _, option := range strings.Split(list, ",") {
			key, _, _ := strings.Cut(option, "=")
			if key = strings.TrimSpace(key); slices.Contains(reserved, strings.ToLower(key)) {
				return fmt.Errorf("%w: `%s` is not the user's to set; remove it", ErrMountOption, key)
			}
		}
	}
	return nil
}

// MountOptions joins lists of options. Of options that exclude one another the last
// holds, for the kernel as for ceph-fuse.
func MountOptions(lists ...string) string {
	return strings.Join(slices.DeleteFunc(lists, func(list string) bool { return list == "" }), ",")
}
