package node_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/node"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

const (
	pool    = "replicapool"
	image   = "csi-vol-b0285c97-a0ce-11eb-8c66-0242ac110002"
	uuid    = "b0285c97-a0ce-11eb-8c66-0242ac110002"
	dynamic = "0001-0009-rook-ceph-0000000000000001-" + uuid
	byHand  = "by-hand"
	address = "10.0.0.1:0/42"
)

// world is one node with a cluster "rook-ceph". It is the attacher, too: a client that
// attaches is one that has the image open.
type world struct {
	t       *testing.T
	cluster *storagetest.Cluster
	server  *node.Server
	dir     string
	records map[string]attach.Attachment
	// broken devices do not serve.
	broken bool
	// attaching fails Attach, detaching fails Detach.
	attaching, detaching error
	contents             filesystem.Contents
	made                 []string
	// growing fails the growth of a file system.
	growing error
	// grown are the devices and file systems that grew.
	grown   []string
	mounter *mount.FakeMounter
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, cluster: storagetest.New(pool), dir: t.TempDir(), records: map[string]attach.Attachment{},
		contents: filesystem.Contents{Report: probe.Report{UnknownAt: -1}},
	}
	w.mounter = mount.NewFakeMounter(nil)
	w.server = &node.Server{Self: call.Self{Node: "n1"}, Clusters: w, Dialer: w.cluster, Attacher: w, Formats: growing{w}, Mounter: w.mounter}
	w.withPool(func(opened storage.Pool) {
		for _, name := range []string{image, byHand} {
			if err := opened.CreateImage(t.Context(), name, storage.Layout{Size: 1 << 30}); err != nil {
				t.Fatal(err)
			}
		}
	})
	w.cluster.PutObject(pool, "csi.volume."+uuid, map[string]string{"csi.volname": "pvc-1", "csi.imagename": image})
	return w
}

func (w *world) withPool(do func(storage.Pool)) {
	w.t.Helper()
	opened, err := w.cluster.Pool(w.t.Context(), pool, "")
	if err != nil {
		w.t.Fatal(err)
	}
	defer opened.Close()
	do(opened)
}

func (w *world) Connection(context.Context, string) (api.Connection, error) {
	return api.Connection{FSID: "f", MonHost: "10.0.0.1"}, nil
}

func (w *world) NodeKey(_ context.Context, clusterID string) (keyring.Key, error) {
	return keyring.Key{Entity: "client.of-" + clusterID, Secret: "k"}, nil
}

func (w *world) Attach(_ context.Context, volume attach.Volume, _ attach.Choice) (attach.Attachment, error) {
	if record, found := w.records[volume.ID]; found && !w.broken {
		return record, nil
	}
	record := attach.Attachment{
		VolumeID: volume.ID, ClusterID: volume.ClusterID, Entry: volume.Entry, Backend: attach.FUSE, Pool: volume.Pool,
		Image: volume.Image, ReadOnly: volume.ReadOnly, Device: filepath.Join(w.dir, "device"),
	}
	if w.attaching != nil {
		if w.detaching != nil {
			w.records[volume.ID] = record
		}
		return attach.Attachment{}, w.attaching
	}
	w.records[volume.ID] = record
	w.cluster.Watch(pool, volume.Image, storage.Watcher{Address: address})
	return record, os.WriteFile(record.Device, nil, 0o600)
}

func (w *world) Detach(_ context.Context, volumeID string) error {
	record, found := w.records[volumeID]
	if !found {
		return nil
	}
	if w.detaching != nil {
		return w.detaching
	}
	w.cluster.Unwatch(pool, record.Image)
	delete(w.records, volumeID)
	return nil
}

func (w *world) Find(volumeID string) (attach.Attachment, error) {
	if record, found := w.records[volumeID]; found {
		return record, nil
	}
	return attach.Attachment{}, fmt.Errorf("find %s: %w", volumeID, os.ErrNotExist)
}

func (w *world) Serves(attach.Attachment) bool { return !w.broken }

func (w *world) Grow(_ context.Context, record attach.Attachment, size uint64) error {
	w.grown = append(w.grown, fmt.Sprintf("device %s to %d", filepath.Base(record.Device), size))
	return nil
}

// growing is the world as what grows file systems.
type growing struct{ *world }

func (g growing) Grow(_ context.Context, device, where, kind string) error {
	g.grown = append(g.grown, fmt.Sprintf("%s of %s at %s", kind, filepath.Base(device), filepath.Base(where)))
	return g.growing
}

func (w *world) Look(string) (filesystem.Contents, error) {
	return w.contents, nil
}

func (w *world) Format(_ context.Context, _, kind, _ string) error {
	w.made = append(w.made, kind)
	return nil
}

// volume is one to be staged: its handle and its attributes.
type volume struct {
	handle     string
	attributes map[string]string
	entry      string
}

func volumes() map[string]volume {
	return map[string]volume{
		"dynamic": {dynamic, nil, uuid},
		"static": {"some-handle", map[string]string{
			"staticVolume": "true", "clusterID": "rook-ceph", "pool": pool, "imageName": byHand,
		}, journal.StaticEntry(byHand)},
	}
}

func (w *world) staging() string { return filepath.Join(w.dir, "staging") }

func (w *world) stage(v volume, capability *csipb.VolumeCapability) error {
	return w.stageAs("csi-rbd-node", v, capability)
}

func (w *world) stageAs(user string, v volume, capability *csipb.VolumeCapability) error {
	_, err := w.server.NodeStageVolume(w.t.Context(), &csipb.NodeStageVolumeRequest{
		VolumeId: v.handle, StagingTargetPath: w.staging(), VolumeCapability: capability, VolumeContext: v.attributes,
		Secrets: map[string]string{"userID": user, "userKey": "key"},
	})
	return err
}

func (w *world) unstage(v volume) error {
	_, err := w.server.NodeUnstageVolume(w.t.Context(), &csipb.NodeUnstageVolumeRequest{VolumeId: v.handle, StagingTargetPath: w.staging()})
	return err
}

// entry is the journal entry of a volume.
func (w *world) entry(v volume) journal.Entry {
	w.t.Helper()
	var entry journal.Entry
	w.withPool(func(opened storage.Pool) {
		var err error
		if entry, err = (journal.Journal{Omaps: opened}).Entry(w.t.Context(), v.entry); err != nil {
			w.t.Fatal(err)
		}
	})
	return entry
}

func mounted() *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{FsType: "ext4"}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
	}
}

func block() *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Block{Block: &csipb.VolumeCapability_BlockVolume{}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
	}
}
