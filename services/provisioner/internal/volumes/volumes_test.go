package volumes_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

const (
	pool    = "replicapool"
	request = "pvc-bcd4a7f0-21a4-4e56-a1ba-ee1a2a6d61c1"
)

// world is one cluster "rook-ceph" with the nodes n1 and n2.
type world struct{ *storagetest.Cluster }

func (world) Connection(_ context.Context, clusterID string) (api.Connection, error) {
	if clusterID != "rook-ceph" {
		return api.Connection{}, fmt.Errorf("%w: %s", clusters.ErrUnknown, clusterID)
	}
	return api.Connection{FSID: "f", MonHost: "10.0.0.1"}, nil
}

func (world) ProvisionerKey(context.Context, string) (keyring.Key, error) {
	return keyring.Key{Entity: "client.default", Secret: "k"}, nil
}

func (world) Exists(_ context.Context, node string) (bool, error) {
	return node == "n1" || node == "n2", nil
}

func start(t *testing.T) (*storagetest.Cluster, *volumes.Controller) {
	t.Helper()
	cluster := storagetest.New(pool, "ec-data")
	w := world{cluster}
	return cluster, &volumes.Controller{Clusters: w, NodeList: w, Connections: &link.Connections{Dialer: cluster}}
}

func secrets() map[string]string {
	return map[string]string{"userID": "csi-rbd-provisioner", "userKey": "key"}
}

func create(edit ...func(*csipb.CreateVolumeRequest)) *csipb.CreateVolumeRequest {
	r := &csipb.CreateVolumeRequest{
		Name:               request,
		CapacityRange:      &csipb.CapacityRange{RequiredBytes: 1 << 30},
		VolumeCapabilities: []*csipb.VolumeCapability{writer()},
		Parameters: map[string]string{"clusterID": "rook-ceph", "pool": pool, "imageFormat": "2", "imageFeatures": "layering",
			"csi.storage.k8s.io/pvc/namespace": "default"},
		Secrets: secrets(),
	}
	for _, e := range edit {
		e(r)
	}
	return r
}

func writer() *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{FsType: "ext4"}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
	}
}

func with(key, value string) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) { r.Parameters[key] = value }
}

func TestCreateVolume_writes_what_ceph_csi_writes(t *testing.T) {
	t.Parallel()
	cluster, c := start(t)
	response, err := c.CreateVolume(t.Context(), create(with("dataPool", "ec-data"), with("volumeNamePrefix", "vol-")))
	if err != nil {
		t.Fatal(err)
	}
	volume := response.GetVolume()
	uuid := strings.TrimPrefix(volume.GetVolumeId(), "0001-0009-rook-ceph-0000000000000001-")
	want := map[string]string{
		"clusterID": "rook-ceph", "pool": pool, "journalPool": pool, "imageName": "vol-" + uuid, "imageFeatures": "layering",
		"imageFormat": "2", "dataPool": "ec-data", "volumeNamePrefix": "vol-",
	}
	if diff := cmp.Diff(want, volume.GetVolumeContext()); diff != "" {
		t.Errorf("context: want -, got +:\n%s", diff)
	}
	entry := map[string]string{
		"csi.volname": request, "csi.imagename": "vol-" + uuid, "csi.imageid": "000000000001", "csi.volume.owner": "default",
	}
	if diff := cmp.Diff(entry, cluster.Objects(pool)["csi.volume."+uuid]); diff != "" {
		t.Errorf("journal: want -, got +:\n%s", diff)
	}
	layout := storage.Layout{Size: 1 << 30, Features: []string{"layering"}, DataPool: "ec-data"}
	if diff := cmp.Diff(layout, cluster.Layout(pool, "vol-"+uuid)); diff != "" {
		t.Errorf("layout: want -, got +:\n%s", diff)
	}
	if got := cluster.Dialled(); len(got) != 1 || got[0].Entity != "client.csi-rbd-provisioner" {
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
		"no_name":                  {func(r *csipb.CreateVolumeRequest) { r.Name = "" }, codes.InvalidArgument, "name"},
		"no_capabilities":          {func(r *csipb.CreateVolumeRequest) { r.VolumeCapabilities = nil }, codes.InvalidArgument, "volume_capabilities"},
		"no_cluster":               {with("clusterID", ""), codes.InvalidArgument, "clusterID"},
		"no_pool":                  {with("pool", ""), codes.InvalidArgument, "pool"},
		"unknown_cluster":          {with("clusterID", "elsewhere"), codes.FailedPrecondition, "elsewhere"},
		"unknown_pool":             {with("pool", "nope"), codes.FailedPrecondition, `"nope"`},
		"unknown_data_pool":        {with("dataPool", "nope"), codes.FailedPrecondition, "`dataPool`"},
		"encryption":               {with("encrypted", "true"), codes.InvalidArgument, "encrypted"},
		"thick_provision":          {with("thickProvision", "true"), codes.InvalidArgument, "thickProvision"},
		"topology":                 {with("topologyConstrainedPools", "[]"), codes.InvalidArgument, "topologyConstrainedPools"},
		"journal_pool":             {with("journalPool", "other"), codes.InvalidArgument, "journalPool"},
		"old_image_format":         {with("imageFormat", "1"), codes.InvalidArgument, "imageFormat"},
		"unknown_feature":          {with("imageFeatures", "layering,magic"), codes.InvalidArgument, "magic"},
		"feature_without_its_base": {with("imageFeatures", "fast-diff"), codes.InvalidArgument, "object-map"},
		"half_a_stripe":            {with("stripeUnit", "65536"), codes.InvalidArgument, "stripeCount"},
		"odd_object_size":          {with("objectSize", "3000000"), codes.InvalidArgument, "power of two"},
		"mounter_of_no_node":       {with("mounter", "rbd-nbd"), codes.InvalidArgument, "`mounter: rbd-nbd` is not supported yet"},
		"mounter_without_others": {func(r *csipb.CreateVolumeRequest) {
			r.Parameters["mounter"], r.Parameters["tryOtherMounters"] = "rbd-nbd", "false"
		}, codes.InvalidArgument, "tryOtherMounters"},
		"no_number": {with("objectSize", "4M"), codes.InvalidArgument, "positive number"},
		"no_key":    {func(r *csipb.CreateVolumeRequest) { delete(r.Secrets, "userKey") }, codes.InvalidArgument, "userKey"},
		"limit_below_request": {func(r *csipb.CreateVolumeRequest) {
			r.CapacityRange.LimitBytes = 1
		}, codes.InvalidArgument, "limit_bytes"},
		"limit_within_a_MiB": {func(r *csipb.CreateVolumeRequest) {
			r.CapacityRange = &csipb.CapacityRange{RequiredBytes: 1<<20 + 1, LimitBytes: 1<<20 + 2}
		}, codes.OutOfRange, "MiB"},
		"file_system_with_many_writers": {func(r *csipb.CreateVolumeRequest) {
			r.VolumeCapabilities[0].AccessMode.Mode = csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER
		}, codes.InvalidArgument, "volumeMode Block"},
		"a_source": {func(r *csipb.CreateVolumeRequest) {
			r.VolumeContentSource = &csipb.VolumeContentSource{}
		}, codes.InvalidArgument, "snapshots"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, c := start(t)
			_, err := c.CreateVolume(t.Context(), create(tc.edit))
			if status.Code(err) != tc.code || !strings.Contains(fmt.Sprint(err), tc.word) {
				t.Errorf("want %s with %q, got %v", tc.code, tc.word, err)
			}
			if got := cluster.ImageNames(pool); len(got) > 0 {
				t.Errorf("made %v", got)
			}
		})
	}
}

func TestCreateVolume_refuses_the_same_name_with_another_size(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	if _, err := c.CreateVolume(t.Context(), create()); err != nil {
		t.Fatal(err)
	}
	_, err := c.CreateVolume(t.Context(), create(func(r *csipb.CreateVolumeRequest) { r.CapacityRange.RequiredBytes = 2 << 30 }))
	if status.Code(err) != codes.AlreadyExists {
		t.Errorf("want AlreadyExists, got %v", err)
	}
}

// TestLife puts a fault before and after every call of a volume's creation and
// deletion, repeats until each succeeds, and wants one image, then none.
func TestLife_survives_a_fault_at_every_call(t *testing.T) {
	t.Parallel()
	cluster, c := start(t)
	handle, calls := liveOnce(t, cluster, c)
	if handle == "" || calls < 10 {
		t.Fatalf("a life without faults took %d calls", calls)
	}
	for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
		for n := range calls {
			cluster, c := start(t)
			cluster.FailAt(n, moment)
			if got, _ := liveOnce(t, cluster, c); got != handle {
				t.Errorf("fault %d at call %d: handle %s, want %s", moment, n, got, handle)
			}
			if images := cluster.ImageNames(pool); len(images) > 0 {
				t.Errorf("fault %d at call %d left images %v", moment, n, images)
			}
			want := map[string]map[string]string{"csi.volumes.default": {}}
			if diff := cmp.Diff(want, cluster.Objects(pool)); diff != "" {
				t.Errorf("fault %d at call %d: journal want -, got +:\n%s", moment, n, diff)
			}
			if trash := trashed(t, cluster); len(trash) > 0 {
				t.Errorf("fault %d at call %d left %v in the trash", moment, n, trash)
			}
		}
	}
}

// liveOnce creates and deletes a volume, each until it succeeds.
func liveOnce(t *testing.T, cluster *storagetest.Cluster, c *volumes.Controller) (handle string, calls int) {
	t.Helper()
	const tries = 3
	var response *csipb.CreateVolumeResponse
	var err error
	for range tries {
		if response, err = c.CreateVolume(t.Context(), create()); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if images := cluster.ImageNames(pool); len(images) != 1 {
		t.Fatalf("want one image, got %v", images)
	}
	handle = response.GetVolume().GetVolumeId()
	for range tries {
		if _, err = c.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: handle, Secrets: secrets()}); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return handle, len(cluster.Calls())
}

func trashed(t *testing.T, cluster *storagetest.Cluster) []storage.Trashed {
	t.Helper()
	opened, err := cluster.Pool(t.Context(), pool, "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := opened.ListTrash(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDeleteVolume(t *testing.T) {
	t.Parallel()
	made := func(t *testing.T) (*storagetest.Cluster, *volumes.Controller, string, string) {
		t.Helper()
		cluster, c := start(t)
		response, err := c.CreateVolume(t.Context(), create())
		if err != nil {
			t.Fatal(err)
		}
		return cluster, c, response.GetVolume().GetVolumeId(), response.GetVolume().GetVolumeContext()["imageName"]
	}
	remove := func(t *testing.T, c *volumes.Controller, handle string) error {
		t.Helper()
		_, err := c.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: handle, Secrets: secrets()})
		return err
	}
	t.Run("keeps_an_image_that_a_client_has_open", func(t *testing.T) {
		t.Parallel()
		cluster, c, handle, image := made(t)
		cluster.Watch(pool, image, storage.Watcher{Address: "10.0.0.9:0/7"})
		if err := remove(t, c, handle); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("want FailedPrecondition, got %v", err)
		}
		if got := cluster.ImageNames(pool); !slices.Contains(got, image) {
			t.Errorf("image is gone: %v", got)
		}
	})
	t.Run("keeps_an_image_that_the_journal_does_not_name", func(t *testing.T) {
		t.Parallel()
		cluster, c, handle, image := made(t)
		entry := "csi.volume." + strings.TrimPrefix(image, "csi-vol-")
		values := cluster.Objects(pool)[entry]
		values["csi.imageid"] = "ffffffffffff"
		cluster.PutObject(pool, entry, values)
		if err := remove(t, c, handle); err == nil {
			t.Error("want an error")
		}
		if got := cluster.ImageNames(pool); !slices.Contains(got, image) {
			t.Errorf("image is gone: %v", got)
		}
	})
	t.Run("removes_the_image_itself_where_the_mgr_has_no_tasks", func(t *testing.T) {
		t.Parallel()
		cluster, c, handle, _ := made(t)
		cluster.LoseTasks()
		if err := remove(t, c, handle); err != nil {
			t.Fatal(err)
		}
		if left := trashed(t, cluster); len(left) > 0 {
			t.Errorf("left in the trash: %v", left)
		}
	})
	t.Run("succeeds_for_volumes_that_are_gone_or_foreign", func(t *testing.T) {
		t.Parallel()
		_, c, handle, _ := made(t)
		gone := strings.Replace(handle, "0000000000000001", "0000000000000063", 1)
		for _, unknown := range []string{"what", gone, handle[:len(handle)-12] + "ffffffffffff"} {
			if err := remove(t, c, unknown); err != nil {
				t.Errorf("%s: %v", unknown, err)
			}
		}
	})
}

func TestPublish_and_Release(t *testing.T) {
	t.Parallel()
	cluster, c := start(t)
	response, err := c.CreateVolume(t.Context(), create())
	if err != nil {
		t.Fatal(err)
	}
	handle, image := response.GetVolume().GetVolumeId(), response.GetVolume().GetVolumeContext()["imageName"]
	publish := func(node string) error {
		_, err := c.ControllerPublishVolume(t.Context(), &csipb.ControllerPublishVolumeRequest{
			VolumeId: handle, NodeId: node, VolumeCapability: writer(), Secrets: secrets()})
		return err
	}
	unpublish := func(node string) {
		t.Helper()
		_, err := c.ControllerUnpublishVolume(t.Context(), &csipb.ControllerUnpublishVolumeRequest{
			VolumeId: handle, NodeId: node, Secrets: secrets()})
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, err error, want codes.Code) {
		t.Helper()
		if status.Code(err) != want {
			t.Errorf("%s: want %s, got %v", what, want, err)
		}
	}
	expect("first node", publish("n1"), codes.OK)
	expect("first node again", publish("n1"), codes.OK)
	expect("second node", publish("n2"), codes.FailedPrecondition)
	expect("no node", publish("n3"), codes.NotFound)

	// The node attaches it, and is cut off.
	entry := "csi.volume." + strings.TrimPrefix(image, "csi-vol-")
	values := cluster.Objects(pool)[entry]
	values["rook.holder"] = `{"node":"n1","address":"10.0.0.1:0/42","backend":"fuse"}`
	cluster.PutObject(pool, entry, values)
	cluster.Watch(pool, image, storage.Watcher{Address: "10.0.0.1:0/42"})

	release := func(evidence volumes.Evidence) error {
		return c.Release(t.Context(), handle, "n1", evidence, secrets())
	}
	expect("without evidence", release(volumes.InUse), codes.FailedPrecondition)
	expect("while its client is there", release(volumes.LetGo), codes.Unavailable)
	if got := cluster.Blocklisted(); len(got) > 0 {
		t.Errorf("fenced %v without proof", got)
	}
	unpublish("n1")
	expect("second node while the first holds", publish("n2"), codes.FailedPrecondition)

	cluster.Unwatch(pool, image) // silent now, but it may come back
	expect("with proof", release(volumes.Gone), codes.OK)
	if diff := cmp.Diff([]string{"10.0.0.1:0/42"}, cluster.Blocklisted()); diff != "" {
		t.Errorf("blocklist: want -, got +:\n%s", diff)
	}
	expect("second node after the fence", publish("n2"), codes.OK)
}

func TestRelease_fences_whoever_has_the_image_open_when_no_address_was_recorded(t *testing.T) {
	t.Parallel()
	cluster, c := start(t)
	response, err := c.CreateVolume(t.Context(), create())
	if err != nil {
		t.Fatal(err)
	}
	handle, image := response.GetVolume().GetVolumeId(), response.GetVolume().GetVolumeContext()["imageName"]
	entry := "csi.volume." + strings.TrimPrefix(image, "csi-vol-")
	values := cluster.Objects(pool)[entry]
	values["rook.holder"] = `{"node":"n1"}`
	cluster.PutObject(pool, entry, values)
	cluster.Watch(pool, image, storage.Watcher{Address: "10.0.0.1:0/43"})
	if err := c.Release(t.Context(), handle, "n1", volumes.Gone, secrets()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"10.0.0.1:0/43"}, cluster.Blocklisted()); diff != "" {
		t.Errorf("blocklist: want -, got +:\n%s", diff)
	}
}

func TestRelease_clears_nothing_when_the_fence_fails(t *testing.T) {
	t.Parallel()
	cluster, c := start(t)
	response, err := c.CreateVolume(t.Context(), create())
	if err != nil {
		t.Fatal(err)
	}
	handle, image := response.GetVolume().GetVolumeId(), response.GetVolume().GetVolumeContext()["imageName"]
	entry := "csi.volume." + strings.TrimPrefix(image, "csi-vol-")
	values := cluster.Objects(pool)[entry]
	values["rook.holder"] = `{"node":"n1","address":"10.0.0.1:0/42"}`
	cluster.PutObject(pool, entry, values)
	const blocklist = 4 // PoolName, Pool, Omap, Watchers, then the fence
	cluster.FailAt(blocklist, storagetest.Before)
	err = c.Release(t.Context(), handle, "n1", volumes.Gone, secrets())
	if err == nil || errors.Is(err, context.Canceled) {
		t.Fatalf("want the fault, got %v", err)
	}
	if calls := cluster.Calls(); calls[len(calls)-1] != "osd blocklist" {
		t.Fatalf("the fault hit %q", calls[len(calls)-1])
	}
	if cluster.Objects(pool)[entry]["rook.holder"] == "" {
		t.Error("the holder was forgotten without a fence")
	}
}
