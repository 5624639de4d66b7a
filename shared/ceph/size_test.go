package ceph_test

import (
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestSizesAreReadInPowersOfTwo(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "4096": 4096, "4096B": 4096, "4K": 4096, "4Ki": 4096, "4KB": 4096,
		"10G": 10 << 30, "10Gi": 10 << 30, "10GB": 10 << 30, "10GiB": 10 << 30, "7E": 7 << 60,
	} {
		if got, ok := ceph.ReadSize(text); !ok || got != want {
			t.Errorf("%s: want %d, got %d, %t", text, want, got, ok)
		}
	}
	for _, text := range []string{"", "G", "-1", "1.5G", "10GiBB", "10iB", "10g", "10Bi", "10KK", "8E", "9223372036854775808", "much"} {
		if got, ok := ceph.ReadSize(text); ok {
			t.Errorf("%s was taken for %d", text, got)
		}
	}
}
