package share_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

const (
	snapshotUUID = "3f1c8e52-a0cf-11eb-8c66-0242ac110002"
	snapshotID   = "0001-0009-rook-ceph-0000000000000001-" + snapshotUUID
	source       = "csi-vol-11111111-a0cf-11eb-8c66-0242ac110002"
)

// records are objects of the journal with their values.
type records map[string]map[string]string

// shallow is what ceph-csi records of a volume that shows a snapshot, and of the snapshot.
func shallow() records {
	return records{
		"csi.volume." + volumeUUID: {"csi.volname": "pvc-1", "csi.imagename": "csi-vol-" + volumeUUID, "csi.volume.backingsnapshotid": snapshotID},
		"csi.snap." + snapshotUUID: {"csi.snapname": "snapshot-1", "csi.imagename": "csi-snap-" + snapshotUUID, "csi.source": source},
	}
}

// full is what is recorded of a volume with data of its own.
func full() records {
	return records{"csi.volume." + volumeUUID: {"csi.volname": "pvc-1", "csi.imagename": source}}
}

// withCeph gives the node a cluster with a file system, a subvolume in it, and a journal.
// The directory of the subvolume's data is returned.
func (w *world) withCeph(known records) string {
	w.t.Helper()
	fake := cephtest.New(w.t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3), cephtest.Volumes("myfs"))
	w.cluster = storagetest.New("myfs-metadata", "myfs-data")
	w.cluster.Forward(fake.Client())
	w.restart()
	at := ceph.Subvolume{Volume: "myfs", Group: "csi", Name: source}
	if err := fake.Client().SubvolumeCreate(w.t.Context(), at, ceph.SubvolumeSpec{}); err != nil {
		w.t.Fatal(err)
	}
	data, err := fake.Client().SubvolumePath(w.t.Context(), at)
	if err != nil {
		w.t.Fatal(err)
	}
	pool, err := w.cluster.Pool(w.t.Context(), "myfs-metadata", "csi")
	if err != nil {
		w.t.Fatal(err)
	}
	defer pool.Close()
	for object, values := range known {
		if err := pool.SetOmap(w.t.Context(), object, values); err != nil {
			w.t.Fatal(err)
		}
	}
	return data
}

func readers() *csipb.VolumeCapability {
	return use(csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY)
}

func TestVolume_of_ceph_csi_shows_its_snapshot_and_never_the_live_directory(t *testing.T) {
	t.Parallel()
	above := "/volumes/csi/" + source + "/"
	for name, context := range map[string]map[string]string{
		"with_the_directory_above":         attributes("subvolumePath", above),
		"marked_by_the_class":              attributes("subvolumePath", above, "backingSnapshot", "true"),
		"marked_with_a_directory_of_data":  attributes("backingSnapshot", "true"),
		"with_the_snapshot_s_id":           attributes("backingSnapshotID", snapshotID),
		"of_a_driver_that_noted_no_path":   attributes("subvolumePath", ""),
		"of_a_driver_that_noted_no_system": attributes("fsName", "", "subvolumePath", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			data := w.withCeph(shallow())
			if err := w.stage(readers(), context); err != nil {
				t.Fatal(err)
			}
			made := w.made[handle]
			if made.FSName != "myfs" || made.Path != path.Clean(above) || !made.ReadOnly {
				t.Errorf("mounted %+v", made)
			}
			// What pods get must outlast a restart and a mount made anew.
			w.restart()
			w.dead = true
			if err := w.publish("pod", readers(), context); err != nil {
				t.Fatal(err)
			}
			want := filepath.Join(w.staging(), ".snap", "csi-snap-"+snapshotUUID, path.Base(data))
			if got := w.binds["pod"][0]; got != want {
				t.Errorf("want %s, got %s", want, got)
			}
		})
	}
}

func TestVolume_whose_snapshot_cannot_be_found_is_not_mounted(t *testing.T) {
	t.Parallel()
	elsewhere := "0001-0009-rook-ceph-0000000000000002-" + snapshotUUID
	for name, tc := range map[string]struct {
		edit func(records)
		want codes.Code
	}{
		"nor_the_volume_s_record":   {func(r records) { delete(r, "csi.volume."+volumeUUID) }, codes.NotFound},
		"nor_its_record":            {func(r records) { delete(r, "csi.snap."+snapshotUUID) }, codes.NotFound},
		"nor_its_subvolume":         {func(r records) { r["csi.snap."+snapshotUUID]["csi.source"] = "gone" }, codes.NotFound},
		"as_it_names_no_subvolume":  {func(r records) { delete(r["csi.snap."+snapshotUUID], "csi.source") }, codes.Internal},
		"as_it_is_in_another_place": {func(r records) { r["csi.volume."+volumeUUID]["csi.volume.backingsnapshotid"] = elsewhere }, codes.FailedPrecondition},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			known := shallow()
			tc.edit(known)
			w.withCeph(known)
			err := w.stage(readers(), attributes("subvolumePath", "/volumes/csi/"+source+"/"))
			if status.Code(err) != tc.want || len(w.made) > 0 {
				t.Errorf("want %s, got %v, made %v", tc.want, err, w.made)
			}
		})
	}
}

func TestVolume_with_data_of_its_own_is_mounted_whole(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path string
		want func(data string) string
	}{
		"where_Ceph_has_it_if_nothing_says":   {"", func(data string) string { return data }},
		"where_an_attribute_of_old_says":      {"/volumes/csi/" + source, func(string) string { return "/volumes/csi/" + source }},
		"where_an_attribute_says_without_ask": {"/volumes/csi/v/u", func(string) string { return "/volumes/csi/v/u" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			data := w.withCeph(full())
			if err := w.stage(many(), attributes("subvolumePath", tc.path)); err != nil {
				t.Fatal(err)
			}
			made := w.made[handle]
			if made.Path != tc.want(data) || made.Root != "" || made.ReadOnly {
				t.Errorf("want %s, got %+v", tc.want(data), made)
			}
			if asked := len(w.cluster.Dialled()) > 0; asked != !strings.HasSuffix(name, "without_ask") {
				t.Errorf("asked Ceph: %t", asked)
			}
		})
	}
}

func TestStatic_volume_with_a_snapshot_must_say_where_it_is(t *testing.T) {
	t.Parallel()
	static := attributes("staticVolume", "true", "rootPath", "/volumes/csi/v", "backingSnapshotID", snapshotID)
	w := start(t)
	if err := w.stage(readers(), static); status.Code(err) != codes.InvalidArgument || len(w.made) > 0 {
		t.Errorf("got %v, made %v", err, w.made)
	}
	static["backingSnapshotRoot"] = ".snap/s/u"
	if err := w.stage(readers(), static); err != nil || w.made[handle].Root != ".snap/s/u" {
		t.Errorf("got %v, made %v", err, w.made)
	}
}
