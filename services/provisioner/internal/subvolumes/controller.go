package subvolumes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// Clusters knows the CephClusters and subvolume groups by clusterID.
type Clusters interface {
	call.Clusters
	// SubvolumeGroup is where volumes go whose class names no group.
	SubvolumeGroup(ctx context.Context, clusterID string) (string, error)
}

// Filesystems knows the file systems that are about to go.
type Filesystems interface {
	// Leaving tells whether a file system is being deleted.
	Leaving(ctx context.Context, clusterID, name string) (bool, error)
}

// Controller is the CSI controller service.
type Controller struct {
	csipb.UnimplementedControllerServer
	Clusters    Clusters
	Filesystems Filesystems
	Connections *link.Connections
	// CopyPatience is how long a call waits for a copy that is under way before it
	// asks its caller to come again.
	CopyPatience time.Duration

	turns serve.Turns
}

// ControllerGetCapabilities lists what this service does.
func (c *Controller) ControllerGetCapabilities(
	context.Context, *csipb.ControllerGetCapabilitiesRequest,
) (*csipb.ControllerGetCapabilitiesResponse, error) {
	return call.Capabilities(
		csipb.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csipb.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csipb.ControllerServiceCapability_RPC_CLONE_VOLUME,
		csipb.ControllerServiceCapability_RPC_EXPAND_VOLUME,
		csipb.ControllerServiceCapability_RPC_GET_CAPACITY,
		csipb.ControllerServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	), nil
}

// place is a file system with its journals.
type place struct {
	ceph.Client
	cluster   storage.Cluster
	clusterID string
	volume    ceph.Volume
	pool      storage.Pool
	// group is the subvolume group of what is recorded without one.
	group string

	filesystems Filesystems
}

func (p place) close() { p.pool.Close() }

func (p place) journal(kind journal.Kind) journal.Journal {
	return journal.Journal{Omaps: p.pool, Kind: kind}
}

// handle names an entry of a journal.
func (p place) handle(id string) csi.VolumeID {
	return csi.VolumeID{ClusterID: p.clusterID, PoolID: p.volume.ID, UUID: id}
}

// subvolume is where a volume or the source of a snapshot is.
func (p place) subvolume(group, name string) ceph.Subvolume {
	return ceph.Subvolume{Volume: p.volume.Name, Group: cmp.Or(group, p.group), Name: name}
}

var errNoFilesystem = errors.New("no such file system")

// open finds a file system and opens its journal.
func (c *Controller) open(
	ctx context.Context, clusterID string, secrets map[string]string, is func(ceph.Volume) bool,
) (place, error) {
	cluster, err := call.Connect(ctx, c.Clusters, c.Connections, clusterID, secrets)
	if err != nil {
		return place{}, err
	}
	group, err := c.Clusters.SubvolumeGroup(ctx, clusterID)
	if err != nil {
		return place{}, err
	}
	client := ceph.Client{Conn: cluster}
	all, err := client.Volumes(ctx)
	if err != nil {
		return place{}, fmt.Errorf("list file systems: %w", err)
	}
	found := slices.IndexFunc(all, is)
	if found < 0 {
		return place{}, fmt.Errorf("%w; cluster %s has %s", errNoFilesystem, clusterID, known(all))
	}
	metadata, err := cluster.PoolName(ctx, all[found].MetadataPool)
	if err != nil {
		return place{}, err
	}
	pool, err := cluster.Pool(ctx, metadata, csi.JournalNamespace)
	if err != nil {
		return place{}, err
	}
	return place{
		Client: client, cluster: cluster, clusterID: clusterID, volume: all[found], pool: pool, group: group, filesystems: c.Filesystems,
	}, nil
}

func known(all []ceph.Volume) string {
	if len(all) == 0 {
		return "none"
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// find opens the file system of an existing volume or snapshot and reads its
// record. One that does not exist is codes.NotFound.
func (c *Controller) find(
	ctx context.Context, kind journal.Kind, handle string, secrets map[string]string,
) (place, journal.Entry, error) {
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return place{}, journal.Entry{}, status.Error(codes.NotFound, err.Error())
	}
	at, err := c.open(ctx, id.ClusterID, secrets, func(v ceph.Volume) bool { return v.ID == id.PoolID })
	if errors.Is(err, errNoFilesystem) {
		return place{}, journal.Entry{}, status.Errorf(codes.NotFound, "file system %d: %v", id.PoolID, err)
	}
	if err != nil {
		return place{}, journal.Entry{}, err
	}
	entry, err := at.journal(kind).Entry(ctx, id.UUID)
	if err == nil && entry.Request == "" {
		err = status.Errorf(codes.NotFound, "%s is not in the journal of file system %s", handle, at.volume.Name)
	}
	if err != nil {
		at.close()
		return place{}, journal.Entry{}, err
	}
	return at, entry, nil
}

// missing tells whether an error says that what a handle names is not there.
func missing(err error) bool { return status.Code(call.Coded(err)) == codes.NotFound }
