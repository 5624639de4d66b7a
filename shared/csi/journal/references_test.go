package journal_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

func TestReferences_are_the_volumes_that_ceph_csi_wrote_down(t *testing.T) {
	t.Parallel()
	const snapshot = "0001-0009-rook-ceph-0000000000000001-" + recorded
	cases := map[string]struct {
		written map[string]string
		want    []string
	}{
		"none": {nil, nil},
		"the_snapshot_itself_is_no_volume": {map[string]string{snapshot: "\x01", "vol-b": "\x01", "vol-a": "\x01"},
			[]string{"vol-a", "vol-b"}},
		"what_was_masked_does_not_count":        {map[string]string{snapshot: "\x02", "vol-a": "\x02", "vol-b": "\x01"}, []string{"vol-b"}},
		"what_is_of_an_unknown_kind_does_count": {map[string]string{"vol-a": "\x07", "vol-b": ""}, []string{"vol-a", "vol-b"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := map[string]map[string]string{}
			if tc.written != nil {
				objects["rt-backingsnapshot-"+snapshot] = tc.written
			}
			cluster, j := open(t, objects)
			got, err := j.References(t.Context(), snapshot)
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("want %v, got %v, %v", tc.want, got, err)
			}
			for range 2 {
				if err := j.ForgetReferences(t.Context(), snapshot); err != nil {
					t.Fatal(err)
				}
			}
			if left := cluster.Objects("pool"); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestReserve_records_a_copy_until_it_is_complete(t *testing.T) {
	t.Parallel()
	_, j := open(t, nil)
	source := &journal.Copy{Group: "red", Subvolume: "csi-vol-1"}
	reserved, err := j.Reserve(t.Context(), journal.Request{Name: request, ClusterID: "rook-ceph", Copy: source})
	if err != nil {
		t.Fatal(err)
	}
	found, ok, err := j.Find(t.Context(), request)
	if diff := cmp.Diff(reserved, found); diff != "" || !ok || err != nil || *found.Copy != *source {
		t.Fatalf("found %v, %v: want -, got +:\n%s", ok, err, diff)
	}
	for range 2 {
		if err := j.Copied(t.Context(), reserved.UUID); err != nil {
			t.Fatal(err)
		}
	}
	if found, ok, err = j.Find(t.Context(), request); err != nil || !ok || found.Copy != nil || found.Image != reserved.Image {
		t.Errorf("complete: %+v, %v, %v", found, ok, err)
	}
}
