package node

import (
	"fmt"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// usage is how a volume is to be used on this node.
type usage struct {
	block    bool
	fsType   string
	flags    []string
	readOnly bool
	// exclusive volumes have one writing node at most.
	exclusive bool
}

// target is where a volume lives in Ceph.
type target struct {
	clusterID string
	poolID    int64
	pool      string
	image     string
	entry     string
	static    bool
}

func readCapability(capability *csipb.VolumeCapability) (usage, error) {
	if capability == nil {
		return usage{}, status.Error(codes.InvalidArgument, "volume_capability is missing")
	}
	var use usage
	switch {
	case capability.GetBlock() != nil:
		use.block = true
	case capability.GetMount() != nil:
		use.fsType = capability.GetMount().GetFsType()
		use.flags = capability.GetMount().GetMountFlags()
	default:
		return usage{}, status.Error(codes.InvalidArgument, "volume_capability has no access type")
	}
	if use.fsType == "" {
		use.fsType = csi.DefaultFSType
	}
	switch mode := capability.GetAccessMode().GetMode(); mode {
	case csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER,
		csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER,
		csipb.VolumeCapability_AccessMode_SINGLE_NODE_MULTI_WRITER:
		use.exclusive = true
	case csipb.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY,
		csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY:
		use.readOnly = true
	case csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER:
		if !use.block {
			return usage{}, status.Error(codes.InvalidArgument,
				"a file system on RBD has one writing node at most; use volumeMode Block, ReadWriteOnce or CephFS")
		}
	default:
		return usage{}, status.Error(codes.InvalidArgument, fmt.Sprintf("access mode %s is not supported", mode))
	}
	if use.readOnly && !slices.Contains(use.flags, "ro") {
		use.flags = append(slices.Clone(use.flags), "ro")
	}
	return use, nil
}

// readTarget finds out which image a handle and its attributes mean.
func readTarget(handle string, attributes map[string]string) (target, error) {
	if attributes[csi.AttributeStaticVolume] == "true" {
		t := target{
			clusterID: attributes[csi.ParamClusterID], pool: attributes[csi.ParamPool], image: attributes[csi.AttributeImageName],
			poolID: -1, static: true,
		}
		if t.image == "" {
			t.image = handle
		}
		t.entry = journal.StaticEntry(t.image)
		if t.clusterID == "" || t.pool == "" {
			return target{}, status.Errorf(codes.InvalidArgument, "static volume %s must have the attributes %s and %s",
				handle, csi.ParamClusterID, csi.ParamPool)
		}
		return t, nil
	}
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return target{}, status.Error(codes.InvalidArgument, err.Error())
	}
	if attributes[csi.ParamEncrypted] == "true" {
		return target{}, status.Errorf(codes.FailedPrecondition, "volume %s is encrypted, which is not supported yet", handle)
	}
	return target{clusterID: id.ClusterID, poolID: id.PoolID, entry: id.UUID}, nil
}

func readChoice(attributes map[string]string) attach.Choice {
	choice := attach.Choice{Mounter: attributes[csi.ParamMounter]}
	if attributes[csi.ParamTryOtherMounters] == "true" {
		choice.Others = attach.TryOthers
	}
	return choice
}
