package main

import (
	"testing"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestHealthOf(t *testing.T) {
	warn := &api.CephStatus{Health: "HEALTH_WARN", Details: map[string]api.CephHealthMessage{
		"OSD_DOWN":     {Severity: "HEALTH_WARN", Message: "1 osds down"},
		"MON_DISK_LOW": {Severity: "HEALTH_WARN", Message: "mon a is low on available space"},
	}}
	for name, c := range map[string]struct {
		status         *api.CephStatus
		health, checks string
	}{
		"nothing is said of a cluster without a status": {},
		"a healthy cluster has no checks":               {&api.CephStatus{Health: "HEALTH_OK"}, "HEALTH_OK", ""},
		"each check is named, in order":                 {warn, "HEALTH_WARN", "(MON_DISK_LOW: mon a is low on available space; OSD_DOWN: 1 osds down)"},
	} {
		t.Run(name, func(t *testing.T) {
			if health, checks := healthOf(c.status); health != c.health || checks != c.checks {
				t.Errorf("got %q %q, want %q %q", health, checks, c.health, c.checks)
			}
		})
	}
}
