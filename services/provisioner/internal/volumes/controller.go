package volumes

import (
	"context"
	"errors"
	"sync"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Clusters knows the CephClusters by clusterID.
type Clusters interface {
	Connection(ctx context.Context, clusterID string) (api.Connection, error)
	// ProvisionerKey is asked where a request carries no Secret.
	ProvisionerKey(ctx context.Context, clusterID string) (keyring.Key, error)
}

// Nodes knows the nodes that volumes can be attached to.
type Nodes interface {
	Exists(ctx context.Context, node string) (bool, error)
}

// Controller is the CSI controller service.
type Controller struct {
	csipb.UnimplementedControllerServer
	Clusters    Clusters
	NodeList    Nodes
	Connections *link.Connections

	busy sync.Map
}

// ControllerGetCapabilities lists what this service does.
func (c *Controller) ControllerGetCapabilities(
	context.Context, *csipb.ControllerGetCapabilitiesRequest,
) (*csipb.ControllerGetCapabilitiesResponse, error) {
	response := &csipb.ControllerGetCapabilitiesResponse{}
	for _, kind := range []csipb.ControllerServiceCapability_RPC_Type{
		csipb.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csipb.ControllerServiceCapability_RPC_PUBLISH_UNPUBLISH_VOLUME,
		csipb.ControllerServiceCapability_RPC_GET_CAPACITY,
		csipb.ControllerServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	} {
		response.Capabilities = append(response.Capabilities, &csipb.ControllerServiceCapability{
			Type: &csipb.ControllerServiceCapability_Rpc{Rpc: &csipb.ControllerServiceCapability_RPC{Type: kind}},
		})
	}
	return response, nil
}

// place is an open pool with its journal.
type place struct {
	cluster storage.Cluster
	pool    storage.Pool
	journal journal.Journal
}

func (p place) close() { p.pool.Close() }

// connect reaches a cluster as the identity in secrets, or as the cluster's
// provisioner when there are none.
func (c *Controller) connect(ctx context.Context, clusterID string, secrets map[string]string) (storage.Cluster, error) {
	connection, err := c.Clusters.Connection(ctx, clusterID)
	if err != nil {
		return nil, err
	}
	var key keyring.Key
	if len(secrets) == 0 {
		key, err = c.Clusters.ProvisionerKey(ctx, clusterID)
	} else {
		key, err = csi.Credentials(secrets)
	}
	if err != nil {
		return nil, err
	}
	cluster, err := c.Connections.Get(ctx, clusterID, connection, key)
	return cluster, link.Explain(err, key.Entity)
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

// lock admits one call per name or handle at a time.
func (c *Controller) lock(name string) (unlock func(), err error) {
	if _, taken := c.busy.LoadOrStore(name, struct{}{}); taken {
		return nil, status.Errorf(codes.Aborted, "another operation on %s is in progress", name)
	}
	return func() { c.busy.Delete(name) }, nil
}

// coded gives an error its gRPC code.
func coded(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	code := codes.Internal
	switch {
	case errors.Is(err, ceph.ErrInvalid), errors.Is(err, csi.ErrNoCredentials):
		code = codes.InvalidArgument
	case errors.Is(err, clusters.ErrUnknown), errors.Is(err, clusters.ErrNoSecret):
		code = codes.FailedPrecondition
	case errors.Is(err, ceph.ErrNotFound):
		code = codes.NotFound
	case errors.Is(err, ceph.ErrDenied):
		code = codes.Unauthenticated
	case errors.Is(err, journal.ErrHeld):
		code = codes.FailedPrecondition
	case errors.Is(err, ceph.ErrBusy):
		code = codes.Aborted
	case errors.Is(err, ceph.ErrUnreachable), errors.Is(err, ceph.ErrAgain):
		code = codes.Unavailable
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	}
	return status.Error(code, err.Error())
}
