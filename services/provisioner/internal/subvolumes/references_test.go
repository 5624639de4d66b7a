package subvolumes_test

import (
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

// writeOmap sets keys of an object of the journal, as ceph-csi would.
func (w world) writeOmap(t *testing.T, object string, values map[string]string) {
	t.Helper()
	pool, err := w.omaps.Pool(t.Context(), metadata, "csi")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.SetOmap(t.Context(), object, values); err != nil {
		t.Fatal(err)
	}
}

func TestDeleteSnapshot_keeps_a_snapshot_that_a_volume_of_ceph_csi_shows(t *testing.T) {
	t.Parallel()
	w := start(t)
	snapshot := w.snapshot(t, w.made(t), "snapshot-1").GetSnapshotId()
	const uuid = "b0285c97-a0ce-11eb-8c66-0242ac110002"
	w.writeOmap(t, "csi.volumes.default", map[string]string{"csi.volume.pvc-theirs": uuid})
	w.writeOmap(t, "csi.volume."+uuid, map[string]string{
		"csi.volname": "pvc-theirs", "csi.imagename": "csi-vol-" + uuid, "csi.volume.backingsnapshotid": snapshot})
	w.writeOmap(t, "rt-backingsnapshot-"+snapshot, map[string]string{snapshot: "\x01", handle(1): "\x01"})
	drop := &csipb.DeleteSnapshotRequest{SnapshotId: snapshot, Secrets: secrets()}
	if _, err := w.DeleteSnapshot(t.Context(), drop); status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "pvc-theirs") {
		t.Errorf("want it refused for pvc-theirs, got %v", err)
	}
	if len(w.journal()["csi.snaps.default"]) != 1 || w.ceph.Sent("fs subvolume snapshot rm") > 0 {
		t.Errorf("journal %v", w.journal())
	}
	w.remove(t, handle(1))
	if _, err := w.DeleteSnapshot(t.Context(), drop); err != nil {
		t.Fatal(err)
	}
	if left := w.journal(); len(left["csi.snaps.default"]) > 0 || left["rt-backingsnapshot-"+snapshot] != nil {
		t.Errorf("left %v", left)
	}
}

func TestDeleteSnapshot_keeps_a_snapshot_for_a_reference_that_it_does_not_understand(t *testing.T) {
	t.Parallel()
	for _, reference := range []string{"what", handle(7)} {
		w := start(t)
		snapshot := w.snapshot(t, w.made(t), "snapshot-1").GetSnapshotId()
		w.writeOmap(t, "rt-backingsnapshot-"+snapshot, map[string]string{snapshot: "\x01", reference: "\x01"})
		_, err := w.DeleteSnapshot(t.Context(), &csipb.DeleteSnapshotRequest{SnapshotId: snapshot, Secrets: secrets()})
		if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), reference) {
			t.Errorf("want it refused for %s, got %v", reference, err)
		}
	}
}

func TestFindSnapshot(t *testing.T) {
	t.Parallel()
	t.Run("finds_a_snapshot_of_a_volume_that_is_gone", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		volume := w.made(t)
		want := w.snapshot(t, volume, "snapshot-1").GetSnapshotId()
		w.remove(t, volume.GetVolumeId())
		got, err := w.FindSnapshot(t.Context(), volume.GetVolumeId(), "snapshot-1", secrets())
		if err != nil || got != want {
			t.Errorf("want %s, got %q, %v", want, got, err)
		}
	})
	t.Run("finds_none_where_none_was_begun", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		for _, volume := range []string{w.made(t).GetVolumeId(), handle(9), "a-static-volume"} {
			if got, err := w.FindSnapshot(t.Context(), volume, "snapshot-1", secrets()); err != nil || got != "" {
				t.Errorf("%s: got %q, %v", volume, got, err)
			}
		}
	})
	t.Run("finds_what_an_end_at_any_call_left", func(t *testing.T) {
		t.Parallel()
		whole := start(t)
		volume := whole.made(t)
		before := len(whole.omaps.Calls())
		whole.snapshot(t, volume, "snapshot-1")
		calls := len(whole.omaps.Calls()) - before
		for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
			for n := range calls {
				w := start(t)
				volume := w.made(t)
				w.omaps.FailAt(n, moment)
				_, failed := w.CreateSnapshot(t.Context(), &csipb.CreateSnapshotRequest{
					Name: "snapshot-1", SourceVolumeId: volume.GetVolumeId(), Secrets: secrets()})
				found, err := w.FindSnapshot(t.Context(), volume.GetVolumeId(), "snapshot-1", secrets())
				if err == nil && found != "" {
					_, err = w.DeleteSnapshot(t.Context(), &csipb.DeleteSnapshotRequest{SnapshotId: found, Secrets: secrets()})
				}
				if err != nil || failed == nil {
					t.Errorf("fault %d at call %d (%v): found %q, %v", moment, n, failed, found, err)
				}
				left := w.snapshots(t, volume)
				for object, values := range w.journal() {
					if strings.HasPrefix(object, "csi.snap") && len(values) > 0 {
						left = append(left, object)
					}
				}
				if len(left) > 0 {
					t.Errorf("fault %d at call %d left %v", moment, n, left)
				}
			}
		}
	})
}
