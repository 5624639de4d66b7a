package ceph_test

import (
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestAReleaseIsReadFromWhatDaemonsAndMonitorsTell(t *testing.T) {
	for text, want := range map[string]string{
		"18.2.7":                                 "18.2.7-0",
		"20.2.4-12-gabcdef":                      "20.2.4-12",
		"ceph version 19.2.3 (c) squid (stable)": "19.2.3-0",
		"":                                       "",
		"squid":                                  "",
	} {
		if got := ceph.Release(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
