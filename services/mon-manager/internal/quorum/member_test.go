package quorum

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMonNamesCountLikeColumns(t *testing.T) {
	for number, name := range map[int32]string{0: "a", 25: "z", 26: "aa", 27: "ab", 52: "ba", 701: "zz", 702: "aaa"} {
		if got := MonName(number); got != name {
			t.Errorf("MonName(%d) = %q, want %q", number, got, name)
		}
		if got := MonNumber(name); got != number {
			t.Errorf("MonNumber(%q) = %d, want %d", name, got, number)
		}
	}
	if got := MonNumber("Mon1"); got != -1 {
		t.Errorf("MonNumber of a foreign name = %d, want -1", got)
	}
}

func TestEndpointsAreReadAsTheyAreWritten(t *testing.T) {
	members := on("a", "b")
	got, err := parseEndpoints(endpoints(members, false), mapping(members))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(members, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"a", "a=10.0.0.1", "=,"} {
		if _, err := parseEndpoints(bad, ""); err == nil {
			t.Errorf("parseEndpoints(%q) is accepted", bad)
		}
	}
	if got := endpoints([]Member{{Name: "a", Address: "fd00::1"}}, true); got != "a=[fd00::1]:3300" {
		t.Errorf("an IPv6 endpoint reads %q", got)
	}
}

func TestPublishedEndpointsAreASubsetOfTheMapWithoutDoubles(t *testing.T) {
	members := append(on("a", "b", "c"), Member{Name: "d", Address: "10.0.0.1"}, Member{Name: "e"})
	got := memberNames(Publishable(members, quorumOf([]string{"a", "b", "d", "e"}, "a", "b")))
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Error(diff)
	}
}
