package guest

import (
	"context"
	"errors"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"k8s.io/mount-utils"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// world is what a node learns from the API server, of the one cluster there is.
type world struct {
	connection api.Connection
	options    api.CSICephFSSpec
}

var errNotAsked = errors.New("volumes of this test carry their Secret")

func (w *world) Connection(context.Context, string) (api.Connection, error) { return w.connection, nil }

func (w *world) Cluster(context.Context, string) (*api.CephCluster, error) {
	return &api.CephCluster{Spec: api.ClusterSpec{CSI: api.CSIDriverSpec{CephFS: w.options}}}, nil
}

func (*world) NodeKey(context.Context, string) (keyring.Key, error) {
	return keyring.Key{}, errNotAsked
}

func (*world) SubvolumeGroup(context.Context, string) (string, error) {
	return csi.DefaultSubvolumeGroup, nil
}

func (a ShareArgs) capability() *csipb.VolumeCapability {
	mode := csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER
	if a.ReadOnly {
		mode = csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY
	}
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{MountFlags: a.Flags}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: mode},
	}
}

// StageShare stages a CephFS volume.
func (n *Node) StageShare(args ShareArgs, _ *Nothing) error {
	n.world.connection, n.world.options = args.Connection, args.Options
	_, err := n.shares.NodeStageVolume(context.Background(), &csipb.NodeStageVolumeRequest{
		VolumeId: args.Handle, StagingTargetPath: args.Where, VolumeCapability: args.capability(), VolumeContext: args.Attributes,
		Secrets: map[string]string{csi.SecretUserID: args.Key.Entity[len("client."):], csi.SecretUserKey: args.Key.Secret},
	})
	return err
}

// PublishShare shows a staged CephFS volume to a pod.
func (n *Node) PublishShare(args ShareArgs, _ *Nothing) error {
	_, err := n.shares.NodePublishVolume(context.Background(), &csipb.NodePublishVolumeRequest{
		VolumeId: args.Handle, StagingTargetPath: args.Where, TargetPath: args.Pod, VolumeCapability: args.capability(),
		VolumeContext: args.Attributes, Readonly: args.ReadOnly,
	})
	return err
}

// RemoveShare takes a CephFS volume from its pod and unstages it.
func (n *Node) RemoveShare(args ShareArgs, _ *Nothing) error {
	ctx := context.Background()
	_, err := n.shares.NodeUnpublishVolume(ctx, &csipb.NodeUnpublishVolumeRequest{VolumeId: args.Handle, TargetPath: args.Pod})
	if err != nil {
		return err
	}
	_, err = n.shares.NodeUnstageVolume(ctx, &csipb.NodeUnstageVolumeRequest{VolumeId: args.Handle, StagingTargetPath: args.Where})
	return err
}

// ShareStats tells how a published CephFS volume is.
func (n *Node) ShareStats(args StatsArgs, health *Health) error {
	return describe(n.shares.NodeGetVolumeStats(context.Background(), statsRequest(args)))(health)
}

// Options returns the options of the mount at a path, those of the file system among them.
func (*Node) Options(where string, options *[]string) error {
	all, err := mount.ParseMountInfo("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.MountPoint == where {
			*options = slices.Concat([]string{m.FsType}, m.MountOptions, m.SuperOptions)
		}
	}
	return nil
}
