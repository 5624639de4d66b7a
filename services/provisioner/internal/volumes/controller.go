package volumes

import (
	"context"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// Nodes knows the nodes that volumes can be attached to.
type Nodes interface {
	Exists(ctx context.Context, node string) (bool, error)
}

// Controller is the CSI controller service.
type Controller struct {
	csipb.UnimplementedControllerServer
	Clusters    call.Clusters
	NodeList    Nodes
	Connections *link.Connections

	turns serve.Turns
}

// ControllerGetCapabilities lists what this service does.
func (c *Controller) ControllerGetCapabilities(
	context.Context, *csipb.ControllerGetCapabilitiesRequest,
) (*csipb.ControllerGetCapabilitiesResponse, error) {
	return call.Capabilities(
		csipb.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csipb.ControllerServiceCapability_RPC_PUBLISH_UNPUBLISH_VOLUME,
		csipb.ControllerServiceCapability_RPC_EXPAND_VOLUME,
		csipb.ControllerServiceCapability_RPC_GET_CAPACITY,
		csipb.ControllerServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	), nil
}

// place is an open pool with its journal.
type place struct {
	cluster storage.Cluster
	pool    storage.Pool
	journal journal.Journal
}

func (p place) close() { p.pool.Close() }

func (c *Controller) connect(ctx context.Context, clusterID string, secrets map[string]string) (storage.Cluster, error) {
	return call.Connect(ctx, c.Clusters, c.Connections, clusterID, secrets)
}

// find opens the pool of an existing volume and reads its record. A volume or pool
// that does not exist is codes.NotFound.
func (c *Controller) find(ctx context.Context, handle string, secrets map[string]string) (place, journal.Entry, error) {
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return place{}, journal.Entry{}, status.Error(codes.NotFound, err.Error())
	}
	cluster, err := c.connect(ctx, id.ClusterID, secrets)
	if err != nil {
		return place{}, journal.Entry{}, err
	}
	name, err := cluster.PoolName(ctx, id.PoolID)
	if err != nil {
		return place{}, journal.Entry{}, err
	}
	at, err := open(ctx, cluster, name)
	if err != nil {
		return place{}, journal.Entry{}, err
	}
	entry, err := at.journal.Entry(ctx, id.UUID)
	if err == nil && entry.Request == "" {
		err = status.Errorf(codes.NotFound, "volume %s is not in the journal of pool %s", handle, name)
	}
	if err != nil {
		at.close()
		return place{}, journal.Entry{}, err
	}
	return at, entry, nil
}

func open(ctx context.Context, cluster storage.Cluster, name string) (place, error) {
	pool, err := cluster.Pool(ctx, name, "")
	if err != nil {
		return place{}, err
	}
	return place{cluster: cluster, pool: pool, journal: journal.Journal{Omaps: pool}}, nil
}
