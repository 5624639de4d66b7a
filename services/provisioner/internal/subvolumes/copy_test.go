package subvolumes_test

import (
	"slices"
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestCreateSnapshot_writes_what_ceph_csi_writes_and_finds_it_again(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	snapshot := w.snapshot(t, volume, "snapshot-1")
	uuid := strings.TrimPrefix(snapshot.GetSnapshotId(), "0001-0009-rook-ceph-0000000000000001-")
	name := volume.GetVolumeContext()["subvolumeName"]
	want := map[string]string{"csi.snapname": "snapshot-1", "csi.imagename": "csi-snap-" + uuid, "csi.source": name}
	if diff := cmp.Diff(want, w.journal()["csi.snap."+uuid]); diff != "" {
		t.Errorf("journal: want -, got +:\n%s", diff)
	}
	if again := w.snapshot(t, volume, "snapshot-1"); again.String() != snapshot.String() {
		t.Errorf("want %v, got %v", snapshot, again)
	}
	taken, err := w.ceph.Client().SnapshotList(t.Context(), at(name))
	if err != nil || !slices.Equal(taken, []string{"csi-snap-" + uuid}) || snapshot.GetSizeBytes() != size || !snapshot.GetReadyToUse() {
		t.Errorf("snapshots %v, %v; %v", taken, err, snapshot)
	}
	other := w.made(t, named("pvc-other"))
	_, err = w.CreateSnapshot(t.Context(), &csipb.CreateSnapshotRequest{
		Name: "snapshot-1", SourceVolumeId: other.GetVolumeId(), Secrets: secrets()})
	if status.Code(err) != codes.AlreadyExists {
		t.Errorf("snapshot of another volume: want AlreadyExists, got %v", err)
	}
}

func TestCreateSnapshot_refuses_a_class_for_another_cluster(t *testing.T) {
	t.Parallel()
	for clusterID, want := range map[string]codes.Code{
		"": codes.OK, "rook-ceph": codes.OK, grouped: codes.OK, "nowhere": codes.FailedPrecondition, "other": codes.InvalidArgument,
	} {
		w := start(t)
		_, err := w.CreateSnapshot(t.Context(), &csipb.CreateSnapshotRequest{
			Name: "snapshot-1", SourceVolumeId: w.made(t).GetVolumeId(), Secrets: secrets(), Parameters: map[string]string{"clusterID": clusterID},
		})
		if status.Code(err) != want || err != nil && !strings.Contains(err.Error(), "VolumeSnapshotClass parameter `clusterID`") {
			t.Errorf("%q: want %s, got %v", clusterID, want, err)
		}
		for object := range w.journal() {
			if err != nil && strings.HasPrefix(object, "csi.snap") {
				t.Errorf("%q: %s is left", clusterID, object)
			}
		}
	}
}

func TestDeleteVolume_leaves_its_snapshots_usable(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	snapshot := w.snapshot(t, volume, "snapshot-1")
	w.remove(t, volume.GetVolumeId())
	restored := w.made(t, named("pvc-restored"), fromSnapshot(snapshot.GetSnapshotId()))
	if info := w.info(t, restored); info.State != ceph.SubvolumeComplete {
		t.Errorf("restored: %+v", info)
	}
	_, err := w.DeleteSnapshot(t.Context(), &csipb.DeleteSnapshotRequest{SnapshotId: snapshot.GetSnapshotId(), Secrets: secrets()})
	if err != nil {
		t.Fatal(err)
	}
	if left := w.subvolumes(t); !slices.Equal(left, []string{restored.GetVolumeContext()["subvolumeName"]}) {
		t.Errorf("left %v", left)
	}
}

func TestCreateVolume_from_a_volume_waits_for_the_copy_and_leaves_no_snapshot(t *testing.T) {
	t.Parallel()
	w := start(t)
	source := w.made(t)
	order := create(named("pvc-clone"), sized(2*size), fromVolume(source.GetVolumeId()))
	w.ceph.HoldClones()
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Aborted {
		t.Fatalf("while it is copied: want Aborted, got %v", err)
	}
	w.ceph.EndClones(ceph.CloneComplete)
	response, err := w.CreateVolume(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if info := w.info(t, response.GetVolume()); info.BytesQuota != 2*size || response.GetVolume().GetCapacityBytes() != 2*size {
		t.Errorf("copy %+v, %v", info, response)
	}
	left, err := w.ceph.Client().SnapshotList(t.Context(), at(source.GetVolumeContext()["subvolumeName"]))
	if err != nil || len(left) > 0 {
		t.Errorf("snapshots left %v, %v", left, err)
	}
	again, err := w.CreateVolume(t.Context(), order)
	if err != nil || again.String() != response.String() {
		t.Errorf("again: %v, %v", again, err)
	}
}

func TestCreateVolume_begins_a_failed_copy_anew(t *testing.T) {
	t.Parallel()
	w := start(t)
	order := create(named("pvc-clone"), fromVolume(w.made(t).GetVolumeId()))
	w.ceph.HoldClones()
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Aborted {
		t.Fatalf("want Aborted, got %v", err)
	}
	w.ceph.EndClones(ceph.CloneFailed)
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "No space left") {
		t.Fatalf("want the reason of the failure, got %v", err)
	}
	if _, err := w.CreateVolume(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

func TestDeleteVolume_ends_a_copy_that_is_under_way(t *testing.T) {
	t.Parallel()
	w := start(t)
	source := w.made(t)
	order := create(named("pvc-clone"), fromVolume(source.GetVolumeId()))
	w.ceph.HoldClones()
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Aborted {
		t.Fatalf("want Aborted, got %v", err)
	}
	uuid := w.journal()["csi.volumes.default"]["csi.volume.pvc-clone"]
	w.remove(t, "0001-0009-rook-ceph-0000000000000001-"+uuid)
	name := source.GetVolumeContext()["subvolumeName"]
	if left := w.subvolumes(t); !slices.Equal(left, []string{name}) {
		t.Errorf("left subvolumes %v", left)
	}
	if left, err := w.ceph.Client().SnapshotList(t.Context(), at(name)); err != nil || len(left) > 0 {
		t.Errorf("left snapshots %v, %v", left, err)
	}
}

func TestDeleteVolume_of_a_copy_that_nobody_was_told_of_leaves_no_snapshot(t *testing.T) {
	t.Parallel()
	w := start(t)
	source := w.made(t)
	w.ceph.HoldClones()
	if _, err := w.CreateVolume(t.Context(), create(named("pvc-clone"), fromVolume(source.GetVolumeId()))); status.Code(err) != codes.Aborted {
		t.Fatalf("want Aborted, got %v", err)
	}
	w.ceph.EndClones(ceph.CloneComplete)
	w.remove(t, "0001-0009-rook-ceph-0000000000000001-"+w.journal()["csi.volumes.default"]["csi.volume.pvc-clone"])
	if left := w.snapshots(t, source); len(left) > 0 || len(w.subvolumes(t)) != 1 {
		t.Errorf("left snapshots %v, subvolumes %v", left, w.subvolumes(t))
	}
}

func TestCreateVolume_that_reads_a_snapshot_copies_nothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	source := w.made(t)
	snapshot := w.snapshot(t, source, "snapshot-1")
	shallow := w.made(t, named("pvc-shallow"), readOnly, fromSnapshot(snapshot.GetSnapshotId()))
	if made := w.subvolumes(t); len(made) != 1 {
		t.Errorf("subvolumes %v", made)
	}
	path := w.info(t, source).Path
	parent, data := path[:strings.LastIndex(path, "/")], path[strings.LastIndex(path, "/")+1:]
	name := "csi-snap-" + strings.TrimPrefix(snapshot.GetSnapshotId(), "0001-0009-rook-ceph-0000000000000001-")
	got := shallow.GetVolumeContext()
	if got["subvolumePath"] != parent || got["backingSnapshotRoot"] != ".snap/"+name+"/"+data || got["backingSnapshotID"] != snapshot.GetSnapshotId() {
		t.Errorf("context %v", got)
	}
	drop := &csipb.DeleteSnapshotRequest{SnapshotId: snapshot.GetSnapshotId(), Secrets: secrets()}
	if _, err := w.DeleteSnapshot(t.Context(), drop); status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "pvc-shallow") {
		t.Errorf("deletion of a snapshot in use: %v", err)
	}
	expand := &csipb.ControllerExpandVolumeRequest{
		VolumeId: shallow.GetVolumeId(), CapacityRange: &csipb.CapacityRange{RequiredBytes: 2 * size}, Secrets: secrets()}
	if _, err := w.ControllerExpandVolume(t.Context(), expand); status.Code(err) != codes.InvalidArgument {
		t.Errorf("expand: want InvalidArgument, got %v", err)
	}
	w.remove(t, shallow.GetVolumeId())
	if _, err := w.DeleteSnapshot(t.Context(), drop); err != nil {
		t.Error(err)
	}
	if made := w.subvolumes(t); len(made) != 1 {
		t.Errorf("subvolumes %v", made)
	}
}

// TestShallowLife puts a fault at every call of making a shallow volume and
// deleting it and its snapshot.
func TestShallowLife_survives_a_fault_at_every_call(t *testing.T) {
	t.Parallel()
	withEveryFault(t, func(w world) []func() error {
		snapshot := w.snapshot(t, w.made(t), "snapshot-1")
		var volume string
		return []func() error{
			func() error {
				response, err := w.CreateVolume(t.Context(), create(named("pvc-shallow"), readOnly, fromSnapshot(snapshot.GetSnapshotId())))
				volume = response.GetVolume().GetVolumeId()
				return err
			},
			func() error {
				_, err := w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: volume, Secrets: secrets()})
				return err
			},
			func() error {
				_, err := w.DeleteSnapshot(t.Context(), &csipb.DeleteSnapshotRequest{SnapshotId: snapshot.GetSnapshotId(), Secrets: secrets()})
				return err
			},
		}
	}, func(w world, fault string) {
		if len(w.journal()["csi.snaps.default"]) > 0 || len(w.journal()["csi.volumes.default"]) != 1 {
			t.Errorf("%s left %v", fault, w.journal())
		}
	})
}
