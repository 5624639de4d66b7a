package subvolumes_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

func TestCreateVolume_writes_what_ceph_csi_writes(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t, with("volumeNamePrefix", "vol-"), with("mounter", "fuse"))
	uuid := strings.TrimPrefix(volume.GetVolumeId(), "0001-0009-rook-ceph-0000000000000001-")
	info := w.info(t, volume)
	want := map[string]string{
		"clusterID": "rook-ceph", "fsName": fsName, "pool": "myfs-data", "volumeNamePrefix": "vol-", "mounter": "fuse",
		"subvolumeName": "vol-" + uuid, "subvolumePath": info.Path,
	}
	if diff := cmp.Diff(want, volume.GetVolumeContext()); diff != "" {
		t.Errorf("context: want -, got +:\n%s", diff)
	}
	objects := map[string]map[string]string{
		"csi.volumes.default": {"csi.volume." + request: uuid},
		"csi.volume." + uuid:  {"csi.volname": request, "csi.imagename": "vol-" + uuid, "csi.volume.owner": "default"},
	}
	if diff := cmp.Diff(objects, w.journal()); diff != "" {
		t.Errorf("journal: want -, got +:\n%s", diff)
	}
	if info.BytesQuota != size || info.DataPool != "myfs-data" || volume.GetCapacityBytes() != size {
		t.Errorf("subvolume %+v of volume %v", info, volume)
	}
	if got := w.omaps.Dialled(); len(got) != 1 || got[0].Entity != "client.csi-cephfs-provisioner" {
		t.Errorf("dialled as %v", got)
	}
}

func TestCreateVolume_refuses_what_it_cannot_do(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edit func(*csipb.CreateVolumeRequest)
		code codes.Code
		word string
	}{
		"no_name":              {func(r *csipb.CreateVolumeRequest) { r.Name = "" }, codes.InvalidArgument, "name"},
		"no_capabilities":      {func(r *csipb.CreateVolumeRequest) { r.VolumeCapabilities = nil }, codes.InvalidArgument, "volume_capabilities"},
		"no_cluster":           {with("clusterID", ""), codes.InvalidArgument, "clusterID"},
		"no_file_system":       {with("fsName", ""), codes.InvalidArgument, "`fsName`"},
		"unknown_cluster":      {with("clusterID", "elsewhere"), codes.FailedPrecondition, "elsewhere"},
		"unknown_file_system":  {with("fsName", "nope"), codes.FailedPrecondition, "`fsName`: \"nope\": no such file system; cluster rook-ceph has myfs"},
		"unknown_pool":         {with("pool", "nope"), codes.FailedPrecondition, "`pool`"},
		"unknown_group":        {with("subvolumeGroup", "nope"), codes.FailedPrecondition, `subvolume group "nope"`},
		"unknown_mounter":      {with("mounter", "nfs"), codes.InvalidArgument, "`mounter`"},
		"kernel_options":       {with("kernelMountOptions", "ro,secret=x"), codes.InvalidArgument, "`kernelMountOptions`: mount option refused: `secret`"},
		"FUSE_options":         {with("fuseMountOptions", "ro\nx"), codes.InvalidArgument, "`fuseMountOptions`"},
		"encryption":           {with("encrypted", "true"), codes.InvalidArgument, "encrypted"},
		"topology":             {with("topologyConstrainedPools", "[]"), codes.InvalidArgument, "topologyConstrainedPools"},
		"a_word_for_a_boolean": {with("backingSnapshot", "perhaps"), codes.InvalidArgument, "backingSnapshot"},
		"backing_without_a_snapshot": {with("backingSnapshot", "true"), codes.InvalidArgument,
			"needs a snapshot as the data source and access mode ReadOnlyMany"},
		"no_key": {func(r *csipb.CreateVolumeRequest) { delete(r.Secrets, "userKey") }, codes.InvalidArgument, "userKey"},
		"limit_within_the_unit": {func(r *csipb.CreateVolumeRequest) {
			r.CapacityRange = &csipb.CapacityRange{RequiredBytes: 1<<22 + 1, LimitBytes: 1<<22 + 2}
		}, codes.OutOfRange, "4 MiB"},
		"block": {func(r *csipb.CreateVolumeRequest) {
			r.VolumeCapabilities[0].AccessType = &csipb.VolumeCapability_Block{Block: &csipb.VolumeCapability_BlockVolume{}}
		}, codes.InvalidArgument, "volumeMode Filesystem"},
		"an_empty_source":        {func(r *csipb.CreateVolumeRequest) { r.VolumeContentSource = &csipb.VolumeContentSource{} }, codes.InvalidArgument, "neither"},
		"a_source_that_is_none":  {fromVolume("mine"), codes.NotFound, "mine"},
		"a_source_that_is_gone":  {fromVolume(handle(1)), codes.NotFound, "data source"},
		"a_source_far_away":      {fromSnapshot(handle(7)), codes.InvalidArgument, "not in file system myfs"},
		"a_snapshot_that_is_not": {fromSnapshot(handle(1)), codes.NotFound, "data source"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			_, err := w.CreateVolume(t.Context(), create(tc.edit))
			if status.Code(err) != tc.code || !strings.Contains(fmt.Sprint(err), tc.word) {
				t.Errorf("want %s with %q, got %v", tc.code, tc.word, err)
			}
			if got := w.subvolumes(t); len(got) > 0 || len(w.journal()["csi.volumes.default"]) > 0 {
				t.Errorf("made %v, recorded %v", got, w.journal())
			}
		})
	}
}

func handle(fscid int) string {
	return fmt.Sprintf("0001-0009-rook-ceph-%016x-b0285c97-a0ce-11eb-8c66-0242ac110002", fscid)
}

func TestCreateVolume_leaves_a_volume_of_another_size_as_it_is(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	_, err := w.CreateVolume(t.Context(), create(sized(2*size)))
	if status.Code(err) != codes.AlreadyExists {
		t.Errorf("want AlreadyExists, got %v", err)
	}
	if info := w.info(t, volume); info.BytesQuota != size {
		t.Errorf("quota became %d", info.BytesQuota)
	}
}

func TestCreateVolume_completes_a_subvolume_without_quota(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	name := volume.GetVolumeContext()["subvolumeName"]
	client := w.ceph.Client()
	if err := client.SubvolumeRemove(t.Context(), at(name), ceph.RemoveEmpty); err != nil {
		t.Fatal(err)
	}
	if err := client.SubvolumeCreate(t.Context(), at(name), ceph.SubvolumeSpec{}); err != nil {
		t.Fatal(err)
	}
	if info := w.info(t, w.made(t)); info.BytesQuota != size {
		t.Errorf("quota is %d", info.BytesQuota)
	}
}

// TestLife puts a fault before and after every call of a volume's creation and
// deletion, repeats until each succeeds, and wants one subvolume, then none.
func TestLife_survives_a_fault_at_every_call(t *testing.T) {
	t.Parallel()
	handle, calls := live(t, start(t))
	if handle == "" || calls < 10 {
		t.Fatalf("a life without faults took %d calls", calls)
	}
	for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
		for n := range calls {
			w := start(t)
			w.omaps.FailAt(n, moment)
			if got, _ := live(t, w); got != handle {
				t.Errorf("fault %d at call %d: handle %s, want %s", moment, n, got, handle)
			}
			if left := w.subvolumes(t); len(left) > 0 {
				t.Errorf("fault %d at call %d left subvolumes %v", moment, n, left)
			}
			if diff := cmp.Diff(map[string]map[string]string{"csi.volumes.default": {}}, w.journal()); diff != "" {
				t.Errorf("fault %d at call %d: journal: want -, got +:\n%s", moment, n, diff)
			}
		}
	}
}

// live makes, finds and removes one volume and returns its handle and the
// number of calls.
func live(t *testing.T, w world) (handle string, calls int) {
	t.Helper()
	const attempts = 3
	var err error
	for range attempts {
		var response *csipb.CreateVolumeResponse
		if response, err = w.CreateVolume(t.Context(), create()); err == nil {
			handle = response.GetVolume().GetVolumeId()
			break
		}
	}
	if made := w.subvolumes(t); err != nil || len(made) != 1 {
		t.Fatalf("made %v, %v", made, err)
	}
	for range attempts {
		if _, err = w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: handle, Secrets: secrets()}); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return handle, len(w.omaps.Calls())
}

func TestDeleteVolume_of_what_is_not_there_succeeds(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a-static-volume", handle(1), handle(9)} {
		w := start(t)
		if _, err := w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: id, Secrets: secrets()}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestDeleteVolume_keeps_the_record_while_Ceph_does_not_answer(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	w.ceph.FailNext("fs subvolume rm", ceph.ErrUnreachable)
	_, err := w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: volume.GetVolumeId(), Secrets: secrets()})
	if status.Code(err) != codes.Unavailable || len(w.journal()) != 2 || errors.Is(err, ceph.ErrNotFound) {
		t.Errorf("%v, journal %v", err, w.journal())
	}
}

func TestExpand_only_makes_volumes_larger(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	for _, step := range []struct{ asked, want int64 }{{2*size - 1, 2 * size}, {size, 2 * size}, {3 * size, 3 * size}} {
		response, err := w.ControllerExpandVolume(t.Context(), &csipb.ControllerExpandVolumeRequest{
			VolumeId: volume.GetVolumeId(), CapacityRange: &csipb.CapacityRange{RequiredBytes: step.asked}, Secrets: secrets()})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.info(t, volume).BytesQuota; response.GetCapacityBytes() != step.want || int64(got) != step.want || response.GetNodeExpansionRequired() {
			t.Errorf("asked for %d: %v, quota %d", step.asked, response, got)
		}
	}
}

func TestExpand_beyond_the_quota_of_the_group_says_so(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	if err := w.ceph.Client().SubvolumeGroupResize(t.Context(), fsName, "csi", 2*size); err != nil {
		t.Fatal(err)
	}
	_, err := w.ControllerExpandVolume(t.Context(), &csipb.ControllerExpandVolumeRequest{
		VolumeId: volume.GetVolumeId(), CapacityRange: &csipb.CapacityRange{RequiredBytes: 3 * size}, Secrets: secrets()})
	if got := w.info(t, volume).BytesQuota; status.Code(err) != codes.OutOfRange || !strings.Contains(err.Error(), "raise the quota") || got != size {
		t.Errorf("got %v, quota of the volume %d", err, got)
	}
}

func TestCreateVolume_goes_to_the_group_that_the_clusterID_means(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.ceph.Client().SubvolumeGroupCreate(t.Context(), fsName, "red", ceph.SubvolumeGroupSpec{}); err != nil {
		t.Fatal(err)
	}
	volume := w.made(t, with("clusterID", grouped))
	name := volume.GetVolumeContext()["subvolumeName"]
	if made, err := w.ceph.Client().SubvolumeList(t.Context(), fsName, "red"); err != nil || !slices.Equal(made, []string{name}) {
		t.Fatalf("made %v, %v", made, err)
	}
	uuid := w.journal()["csi.volumes.default"]["csi.volume."+request]
	if got := w.journal()["csi.volume."+uuid]["rook.subvolumegroup"]; got != "red" || len(w.subvolumes(t)) > 0 {
		t.Errorf("recorded group %q, in group csi %v", got, w.subvolumes(t))
	}
	w.remove(t, volume.GetVolumeId())
	if made, err := w.ceph.Client().SubvolumeList(t.Context(), fsName, "red"); err != nil || len(made) > 0 {
		t.Errorf("left %v, %v", made, err)
	}
}

func TestCreateVolume_larger_than_the_quota_of_its_group_says_so(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.ceph.Client().SubvolumeGroupResize(t.Context(), fsName, "csi", size); err != nil {
		t.Fatal(err)
	}
	_, err := w.CreateVolume(t.Context(), create(sized(size+1)))
	if status.Code(err) != codes.OutOfRange || !strings.Contains(err.Error(), "has a quota of 1073741824") || len(w.subvolumes(t)) > 0 {
		t.Errorf("got %v, made %v", err, w.subvolumes(t))
	}
	w.made(t, named("pvc-fits"))
}
