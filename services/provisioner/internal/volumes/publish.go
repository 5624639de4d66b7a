package volumes

import (
	"context"
	"fmt"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// ControllerPublishVolume gives a node the right to attach a volume. A volume
// with one writer is refused while another node has it.
func (c *Controller) ControllerPublishVolume(
	ctx context.Context, request *csipb.ControllerPublishVolumeRequest,
) (*csipb.ControllerPublishVolumeResponse, error) {
	handle, node := request.GetVolumeId(), request.GetNodeId()
	switch {
	case handle == "":
		return nil, call.Invalid("volume_id is missing")
	case node == "":
		return nil, call.Invalid("node_id is missing")
	case request.GetVolumeCapability() == nil:
		return nil, call.Invalid("volume_capability is missing")
	}
	if err := checkCapability(request.GetVolumeCapability()); err != nil {
		return nil, err
	}
	unlock, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	at, entry, err := c.find(ctx, handle, request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	exists, err := c.NodeList.Exists(ctx, node)
	if err != nil {
		return nil, call.Coded(err)
	}
	if !exists {
		return nil, status.Errorf(codes.NotFound, "node %q does not exist", node)
	}
	access := readAccess(request)
	if theirs, published := entry.Published[node]; published && theirs != access {
		return nil, status.Errorf(codes.AlreadyExists, "volume %s is attached to %s as %s, not %s", handle, node, theirs, access)
	}
	if err := at.journal.Publish(ctx, entry.UUID, node, access); err != nil {
		return nil, call.Coded(fmt.Errorf("attach volume %s to %s: %w", handle, node, err))
	}
	return &csipb.ControllerPublishVolumeResponse{}, nil
}

func readAccess(request *csipb.ControllerPublishVolumeRequest) journal.Access {
	switch request.GetVolumeCapability().GetAccessMode().GetMode() {
	case csipb.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY,
		csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY:
		return journal.Reader
	case csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER:
		return journal.SharedWriter
	}
	if request.GetReadonly() {
		return journal.Reader
	}
	return journal.Writer
}

// ControllerUnpublishVolume takes the right back. The caller made sure that the
// node let go of the volume.
func (c *Controller) ControllerUnpublishVolume(
	ctx context.Context, request *csipb.ControllerUnpublishVolumeRequest,
) (*csipb.ControllerUnpublishVolumeResponse, error) {
	handle, node := request.GetVolumeId(), request.GetNodeId()
	if handle == "" {
		return nil, call.Invalid("volume_id is missing")
	}
	unlock, err := c.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	at, entry, err := c.find(ctx, handle, request.GetSecrets())
	if status.Code(call.Coded(err)) == codes.NotFound {
		return &csipb.ControllerUnpublishVolumeResponse{}, nil
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	for published := range entry.Published {
		if node != "" && published != node {
			continue
		}
		if err := at.journal.Unpublish(ctx, entry.UUID, published); err != nil {
			return nil, call.Coded(err)
		}
	}
	return &csipb.ControllerUnpublishVolumeResponse{}, nil
}
