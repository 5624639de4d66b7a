package ceph

import "regexp"

var release = regexp.MustCompile(`^(?:ceph version )?(\d+\.\d+\.\d+)(?:-(\d+))?`)

// Release writes a version as daemons and the monitors tell it as Maj.Min.Ext-Build;
// "" when it is no version.
func Release(text string) string {
	parts := release.FindStringSubmatch(text)
	if parts == nil {
		return ""
	}
	build := parts[2]
	if build == "" {
		build = "0"
	}
	return parts[1] + "-" + build
}
