package csi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

func TestCheckMountOptions(t *testing.T) {
	t.Parallel()
	for options, named := range map[string]string{
		"":                                 "",
		"ms_mode=secure,rasize=131072, ro": "",
		"recover_session=clean,nowsync,":   "",
		"name=admin":                       "`name`",
		"ro, name = admin":                 "`name`",
		"ro,secret=AQBhidden==":            "`secret`",
		"SecretFile=/etc/hidden":           "`SecretFile`",
		"mds_namespace=hidden,ro":          "`mds_namespace`",
		"mon_addr=10.0.0.1":                "`mon_addr`",
		"ro\n[client.admin]":               "line break",
		"ro\x00":                           "control character",
	} {
		err := csi.CheckMountOptions("noatime", options)
		if refused := errors.Is(err, csi.ErrMountOption); refused != (named != "") {
			t.Errorf("%q: %v", options, err)
			continue
		}
		if err != nil && (!strings.Contains(err.Error(), named) || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%q: %v, want %s named and no value", options, err, named)
		}
	}
}

func TestMountOptions(t *testing.T) {
	t.Parallel()
	for want, lists := range map[string][]string{"": {"", ""}, "a,b": {"a,b", ""}, "b": {"", "b"}, "a,b,c=1": {"a", "b,c=1"}} {
		if got := csi.MountOptions(lists...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
