package journal_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

const (
	recorded = "b0285c97-a0ce-11eb-8c66-0242ac110002"
	request  = "pvc-bcd4a7f0-21a4-4e56-a1ba-ee1a2a6d61c1"
)

// recordedJournal is what ceph-csi leaves in a pool for one volume.
func recordedJournal() map[string]map[string]string {
	return map[string]map[string]string{
		"csi.volumes.default": {"csi.volume." + request: recorded},
		"csi.volume." + recorded: {
			"csi.volname":      request,
			"csi.imagename":    "csi-vol-" + recorded,
			"csi.imageid":      "10f5ad4a2b5f",
			"csi.volume.owner": "default",
		},
	}
}

func open(t *testing.T, objects map[string]map[string]string) (*storagetest.Cluster, journal.Journal) {
	t.Helper()
	cluster := storagetest.New("pool")
	for object, values := range objects {
		cluster.PutObject("pool", object, values)
	}
	pool, err := cluster.Pool(t.Context(), "pool", "")
	if err != nil {
		t.Fatal(err)
	}
	return cluster, journal.Journal{Omaps: pool}
}

func TestFind(t *testing.T) {
	t.Parallel()
	plain := journal.Entry{UUID: recorded, Request: request, Image: "csi-vol-" + recorded, ImageID: "10f5ad4a2b5f",
		Owner: "default", PoolID: -1}
	cases := map[string]struct {
		edit  func(map[string]map[string]string)
		want  journal.Entry
		found bool
		err   error
	}{
		"reads_a_volume_of_ceph-csi": {func(map[string]map[string]string) {}, plain, true, nil},
		"reads_a_reference_with_a_pool": {func(o map[string]map[string]string) {
			o["csi.volumes.default"]["csi.volume."+request] = "0000000000000005/" + recorded
		}, with(plain, func(e *journal.Entry) { e.PoolID = 5 }), true, nil},
		"names_the_image_of_an_old_entry_by_its_uuid": {func(o map[string]map[string]string) {
			delete(o["csi.volume."+recorded], "csi.imagename")
		}, plain, true, nil},
		"keeps_the_key_management_of_an_encrypted_volume": {func(o map[string]map[string]string) {
			o["csi.volume."+recorded]["csi.volume.encryptKMS"] = "vault"
		}, with(plain, func(e *journal.Entry) { e.KMS = "vault" }), true, nil},
		"finds_nothing_in_an_empty_pool": {func(o map[string]map[string]string) { clear(o) }, journal.Entry{}, false, nil},
		"finds_nothing_behind_a_name_whose_entry_was_never_written": {func(o map[string]map[string]string) {
			delete(o, "csi.volume."+recorded)
		}, journal.Entry{}, false, nil},
		"finds_nothing_behind_an_entry_without_a_request": {func(o map[string]map[string]string) {
			o["csi.volume."+recorded] = map[string]string{}
		}, journal.Entry{}, false, nil},
		"refuses_an_entry_of_another_request": {func(o map[string]map[string]string) {
			o["csi.volume."+recorded]["csi.volname"] = "pvc-other"
		}, journal.Entry{}, false, journal.ErrInconsistent},
		"refuses_a_reference_that_is_no_uuid": {func(o map[string]map[string]string) {
			o["csi.volumes.default"]["csi.volume."+request] = "what"
		}, journal.Entry{}, false, journal.ErrInconsistent},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := recordedJournal()
			tc.edit(objects)
			_, j := open(t, objects)
			got, found, err := j.Find(t.Context(), request)
			if !errors.Is(err, tc.err) || found != tc.found {
				t.Fatalf("want %v, %v; got %v, %v", tc.found, tc.err, found, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestReserve_writes_what_ceph_csi_reads(t *testing.T) {
	t.Parallel()
	cluster, j := open(t, nil)
	entry, err := j.Reserve(t.Context(), journal.Request{Name: request, ClusterID: "rook-ceph", Owner: "default"})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.SetImageID(t.Context(), entry.UUID, "10f5ad4a2b5f"); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"csi.volumes.default": {"csi.volume." + request: entry.UUID},
		"csi.volume." + entry.UUID: {
			"csi.volname":      request,
			"csi.imagename":    "csi-vol-" + entry.UUID,
			"csi.imageid":      "10f5ad4a2b5f",
			"csi.volume.owner": "default",
		},
	}
	if diff := cmp.Diff(want, cluster.Objects("pool")); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestReserve_gives_the_same_entry_after_a_fault_at_any_call(t *testing.T) {
	t.Parallel()
	asked := journal.Request{Name: request, ClusterID: "rook-ceph", ImagePrefix: "vol-"}
	for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
		for n := range 2 {
			cluster, j := open(t, nil)
			cluster.FailAt(n, moment)
			if _, err := j.Reserve(t.Context(), asked); !errors.Is(err, storagetest.ErrInjected) {
				t.Fatalf("call %d: want the fault, got %v", n, err)
			}
			entry, err := j.Reserve(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			found, ok, err := j.Find(t.Context(), request)
			if err != nil || !ok {
				t.Fatalf("call %d: found %v, %v", n, ok, err)
			}
			if diff := cmp.Diff(entry, found); diff != "" {
				t.Errorf("call %d: want -, got +:\n%s", n, diff)
			}
			if got := len(cluster.Objects("pool")); got != 2 {
				t.Errorf("call %d: want 2 objects, got %d", n, got)
			}
		}
	}
}

func TestForget_leaves_nothing_after_a_fault_at_any_call(t *testing.T) {
	t.Parallel()
	for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
		for n := range 3 {
			cluster, j := open(t, recordedJournal())
			entry, err := j.Entry(t.Context(), recorded)
			if err != nil {
				t.Fatal(err)
			}
			cluster.FailAt(n, moment)
			if err := j.Forget(t.Context(), entry); !errors.Is(err, storagetest.ErrInjected) {
				t.Fatalf("call %d: want the fault, got %v", n, err)
			}
			if err := j.Forget(t.Context(), entry); err != nil {
				t.Fatal(err)
			}
			want := map[string]map[string]string{"csi.volumes.default": {}}
			if diff := cmp.Diff(want, cluster.Objects("pool")); diff != "" {
				t.Errorf("call %d: want -, got +:\n%s", n, diff)
			}
		}
	}
}

func TestForget_keeps_a_name_that_leads_elsewhere(t *testing.T) {
	t.Parallel()
	objects := recordedJournal()
	other := "0a0a0a0a-a0ce-11eb-8c66-0242ac110002"
	objects["csi.volumes.default"]["csi.volume."+request] = other
	cluster, j := open(t, objects)
	entry, err := j.Entry(t.Context(), recorded)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Forget(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	if got := cluster.Objects("pool")["csi.volumes.default"]["csi.volume."+request]; got != other {
		t.Errorf("want %q, got %q", other, got)
	}
}

func TestUUID_differs_by_cluster_and_request(t *testing.T) {
	t.Parallel()
	var j journal.Journal
	seen := map[string]journal.Request{}
	for _, asked := range []journal.Request{
		{Name: "a", ClusterID: "one"}, {Name: "b", ClusterID: "one"}, {Name: "a", ClusterID: "two"},
	} {
		id := j.UUID(asked)
		if other, ok := seen[id]; ok {
			t.Errorf("%v and %v share %s", asked, other, id)
		}
		seen[id] = asked
		if again := j.UUID(asked); again != id {
			t.Errorf("%v: want %s, got %s", asked, id, again)
		}
	}
}

func TestHolder_and_format_survive_each_other(t *testing.T) {
	t.Parallel()
	_, j := open(t, recordedJournal())
	ctx := context.Background()
	holder := &journal.Holder{Node: "n1", Address: "10.0.0.1:0/123", Backend: "fuse"}
	format := journal.Format{State: journal.Formatted, Type: "ext4"}
	if err := errors.Join(j.SetHolder(ctx, recorded, holder), j.SetFormat(ctx, recorded, format)); err != nil {
		t.Fatal(err)
	}
	entry, err := j.Entry(ctx, recorded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(holder, entry.Holder); diff != "" {
		t.Errorf("holder: want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff(format, entry.Format); diff != "" {
		t.Errorf("format: want -, got +:\n%s", diff)
	}
	if err := j.SetHolder(ctx, recorded, nil); err != nil {
		t.Fatal(err)
	}
	entry, err = j.Entry(ctx, recorded)
	if err != nil || entry.Holder != nil || entry.Format != format {
		t.Errorf("got %+v, %v", entry, err)
	}
}

func with(entry journal.Entry, edit func(*journal.Entry)) journal.Entry {
	edit(&entry)
	return entry
}

func TestClaim_returns_the_entry_of_that_moment(t *testing.T) {
	t.Parallel()
	_, j := open(t, recordedJournal())
	ctx := t.Context()
	read, err := j.Entry(ctx, recorded)
	if err != nil {
		t.Fatal(err)
	}
	format := journal.Format{State: journal.Formatted, Type: "ext4"}
	if err := j.SetFormat(ctx, recorded, format); err != nil {
		t.Fatal(err)
	}
	entry, err := j.Claim(ctx, recorded, journal.Holder{Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(with(read, func(e *journal.Entry) { e.Format = format }), entry); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if entry, err := j.Claim(ctx, recorded, journal.Holder{Node: "n2"}); !errors.Is(err, journal.ErrHeld) || entry.UUID != "" {
		t.Errorf("second node: want ErrHeld, got %+v, %v", entry, err)
	}
}
