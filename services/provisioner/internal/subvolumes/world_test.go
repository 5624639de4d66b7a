package subvolumes_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/subvolumes"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

const (
	fsName   = "myfs"
	metadata = "myfs-metadata"
	request  = "pvc-bcd4a7f0-21a4-4e56-a1ba-ee1a2a6d61c1"
	size     = 1 << 30
	// grouped is the clusterID of a subvolume group.
	grouped = "5f3b6c1e9a7d4b2c8e0f1a2b3c4d5e6f"
)

// world is one cluster "rook-ceph" with the file system myfs.
type world struct {
	*subvolumes.Controller
	omaps *storagetest.Cluster
	ceph  *cephtest.Cluster
	// leaving are the file systems that are being deleted.
	leaving leaving
}

type leaving map[string]bool

func (l leaving) Leaving(_ context.Context, clusterID, name string) (bool, error) {
	return l[clusterID+"/"+name], nil
}

type registry struct{}

func (registry) Connection(_ context.Context, clusterID string) (api.Connection, error) {
	if clusterID == "other" {
		return api.Connection{FSID: "g", MonHost: "10.0.0.2"}, nil
	}
	if clusterID != "rook-ceph" && clusterID != grouped {
		return api.Connection{}, fmt.Errorf("%w: %s", clusters.ErrUnknown, clusterID)
	}
	return api.Connection{FSID: "f", MonHost: "10.0.0.1"}, nil
}

func (registry) ProvisionerKey(context.Context, string) (keyring.Key, error) {
	return keyring.Key{Entity: "client.default", Secret: "k"}, nil
}

func (registry) SubvolumeGroup(_ context.Context, clusterID string) (string, error) {
	if clusterID == grouped {
		return "red", nil
	}
	return "csi", nil
}

func start(t *testing.T) world {
	t.Helper()
	fake := cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x"), cephtest.OSDs(3), cephtest.Volumes(fsName))
	omaps := storagetest.New(metadata, "myfs-data")
	omaps.Forward(fake.Client())
	goes := leaving{}
	return world{omaps: omaps, ceph: fake, leaving: goes, Controller: &subvolumes.Controller{
		Clusters: registry{}, Filesystems: goes, Connections: &link.Connections{Dialer: omaps}, CopyPatience: 50 * time.Millisecond,
	}}
}

func (w world) journal() map[string]map[string]string { return w.omaps.ObjectsOf(metadata, "csi") }

func (w world) subvolumes(t *testing.T) []string {
	t.Helper()
	names, err := w.ceph.Client().SubvolumeList(t.Context(), fsName, "csi")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (w world) info(t *testing.T, volume *csipb.Volume) ceph.SubvolumeInfo {
	t.Helper()
	info, err := w.ceph.Client().SubvolumeInfo(t.Context(), at(volume.GetVolumeContext()["subvolumeName"]))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func at(name string) ceph.Subvolume { return ceph.Subvolume{Volume: fsName, Group: "csi", Name: name} }

func (w world) made(t *testing.T, edit ...func(*csipb.CreateVolumeRequest)) *csipb.Volume {
	t.Helper()
	response, err := w.CreateVolume(t.Context(), create(edit...))
	if err != nil {
		t.Fatal(err)
	}
	return response.GetVolume()
}

func secrets() map[string]string {
	return map[string]string{"userID": "csi-cephfs-provisioner", "userKey": "key"}
}

func create(edit ...func(*csipb.CreateVolumeRequest)) *csipb.CreateVolumeRequest {
	r := &csipb.CreateVolumeRequest{
		Name:               request,
		CapacityRange:      &csipb.CapacityRange{RequiredBytes: size},
		VolumeCapabilities: []*csipb.VolumeCapability{use(csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER)},
		Parameters: map[string]string{
			"clusterID": "rook-ceph", "fsName": fsName, "pool": "myfs-data", "csi.storage.k8s.io/pvc/namespace": "default",
		},
		Secrets: secrets(),
	}
	for _, e := range edit {
		e(r)
	}
	return r
}

func use(mode csipb.VolumeCapability_AccessMode_Mode) *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: mode},
	}
}

func with(key, value string) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) { r.Parameters[key] = value }
}

func named(name string) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) { r.Name = name }
}

func sized(bytes int64) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) { r.CapacityRange.RequiredBytes = bytes }
}

func readOnly(r *csipb.CreateVolumeRequest) {
	r.VolumeCapabilities = []*csipb.VolumeCapability{use(csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY)}
}

func fromVolume(id string) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) {
		r.VolumeContentSource = &csipb.VolumeContentSource{Type: &csipb.VolumeContentSource_Volume{
			Volume: &csipb.VolumeContentSource_VolumeSource{VolumeId: id}}}
	}
}

func fromSnapshot(id string) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) {
		r.VolumeContentSource = &csipb.VolumeContentSource{Type: &csipb.VolumeContentSource_Snapshot{
			Snapshot: &csipb.VolumeContentSource_SnapshotSource{SnapshotId: id}}}
	}
}

func (w world) snapshot(t *testing.T, volume *csipb.Volume, name string) *csipb.Snapshot {
	t.Helper()
	response, err := w.CreateSnapshot(t.Context(), &csipb.CreateSnapshotRequest{
		Name: name, SourceVolumeId: volume.GetVolumeId(), Secrets: secrets()})
	if err != nil {
		t.Fatal(err)
	}
	return response.GetSnapshot()
}

func (w world) remove(t *testing.T, handle string) {
	t.Helper()
	if _, err := w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: handle, Secrets: secrets()}); err != nil {
		t.Fatal(err)
	}
}
