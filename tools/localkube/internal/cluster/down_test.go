package cluster

import "testing"

func TestOnlyFilesThatThisHostCannotSeeAreOutOfSight(t *testing.T) {
	exists := func(path string) bool { return path == "/var/lib/kubelet/own" }
	for backing, want := range map[string]bool{
		"":                        false, // a device that shows nothing
		"/":                       true,
		"/images/disk":            false,
		"/var/lib/kubelet/own":    false,
		"/var/lib/kubelet/volume": true,
	} {
		if got := outOfSight(backing, exists); got != want {
			t.Errorf("%q: got %v", backing, got)
		}
	}
}
