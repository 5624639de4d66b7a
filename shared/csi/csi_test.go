package csi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

const handle = "0001-0009-rook-ceph-0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002"

func TestParseVolumeID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 64)
	cases := map[string]struct {
		text string
		want csi.VolumeID
		err  error
	}{
		"reads_a_handle_that_ceph-csi_made": {handle, csi.VolumeID{
			ClusterID: "rook-ceph", PoolID: 2, UUID: "b0285c97-a0ce-11eb-8c66-0242ac110002"}, nil},
		"reads_a_clusterID_with_dashes_and_hex_digits": {
			"0001-0024-fed5480a-f00f-417a-a51d-31d8a8144c03-000000000000001a-b0285c97-a0ce-11eb-8c66-0242ac110002",
			csi.VolumeID{ClusterID: "fed5480a-f00f-417a-a51d-31d8a8144c03", PoolID: 26,
				UUID: "b0285c97-a0ce-11eb-8c66-0242ac110002"}, nil},
		"reads_the_longest_clusterID": {
			"0001-0040-" + long + "-0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002",
			csi.VolumeID{ClusterID: long, PoolID: 2, UUID: "b0285c97-a0ce-11eb-8c66-0242ac110002"}, nil},
		"refuses_the_name_of_a_static_image":      {"my-image", csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_nothing":                         {"", csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_another_version":                 {"0002" + handle[4:], csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_a_wrong_length":                  {strings.Replace(handle, "0009", "0008", 1), csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_a_truncated_handle":              {handle[:len(handle)-1], csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_a_uuid_with_other_letters":       {handle[:len(handle)-1] + "x", csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_a_pool_id_that_is_no_number":     {strings.Replace(handle, "0000000000000002", "00000000000000zz", 1), csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_a_negative_pool_id":              {strings.Replace(handle, "0000000000000002", "ffffffffffffffff", 1), csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_separators_at_the_wrong_places":  {strings.Replace(handle, "-0000000000000002-", "_0000000000000002_", 1), csi.VolumeID{}, csi.ErrMalformedID},
		"refuses_numbers_that_it_would_not_write": {strings.Replace(handle, "0000000000000002", "000000000000000A", 1), csi.VolumeID{}, csi.ErrMalformedID},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := csi.ParseVolumeID(tc.text)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error: want %v, got %v", tc.err, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if err == nil && got.String() != tc.text {
				t.Errorf("String: want %q, got %q", tc.text, got.String())
			}
		})
	}
}

func FuzzParseVolumeID(f *testing.F) {
	f.Add(handle)
	f.Add("")
	f.Add("0001-ffff-")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := csi.ParseVolumeID(text)
		if err == nil && id.String() != text {
			t.Errorf("String: want %q, got %q", text, id.String())
		}
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		secret map[string]string
		entity string
		err    error
	}{
		"adds_the_client_prefix":      {map[string]string{"userID": "csi-rbd-node", "userKey": "k"}, "client.csi-rbd-node", nil},
		"accepts_a_full_entity":       {map[string]string{"userID": "client.csi-rbd-node", "userKey": "k"}, "client.csi-rbd-node", nil},
		"refuses_a_Secret_without_id": {map[string]string{"userKey": "k"}, "", csi.ErrNoCredentials},
		"refuses_an_empty_key":        {map[string]string{"userID": "u", "userKey": " "}, "", csi.ErrNoCredentials},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := csi.Credentials(tc.secret)
			if !errors.Is(err, tc.err) || got.Entity != tc.entity {
				t.Errorf("want %q, %v; got %q, %v", tc.entity, tc.err, got.Entity, err)
			}
		})
	}
}

func TestRBDNamespace_is_the_inverse_of_RBDDriver(t *testing.T) {
	t.Parallel()
	if got, ok := csi.RBDNamespace(csi.RBDDriver("rook-ceph")); got != "rook-ceph" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, ok := csi.RBDNamespace("rook-ceph.cephfs.csi.ceph.com"); ok {
		t.Errorf("took a CephFS driver for RBD: %q", got)
	}
}
