package share

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// place is the directory of a volume.
type place struct {
	fsName, path string
	// root is the snapshot below path that the volume shows, if it shows one.
	root string
}

// known tells whether it is a place in some file system.
func (p place) known() bool { return p.fsName != "" && p.path != "" }

// whole tells whether the path is a subvolume's directory of data,
// /volumes/<group>/<subvolume>/<uuid>. The directory above it is what ceph-csi gives a
// volume that shows a snapshot, which its attributes need not say otherwise.
func (p place) whole() bool {
	const depth = 4
	return strings.Count(path.Clean(p.path), "/") == depth
}

// showsSnapshot tells whether the attributes call the volume one that shows a snapshot.
func showsSnapshot(attributes map[string]string) bool {
	marked, err := strconv.ParseBool(attributes[csi.ParamBackingSnapshot])
	return err == nil && marked || attributes[csi.AttributeSnapshotID] != ""
}

// directory finds what to mount: in the attributes of the volume, or in Ceph where
// they leave it open. The live directory never stands in for a snapshot.
func (s *Server) directory(
	ctx context.Context, access fsmount.Access, handle string, attributes map[string]string,
) (place, error) {
	at := place{fsName: attributes[csi.ParamFSName], path: attributes[csi.AttributeSubvolumePath], root: attributes[csi.AttributeSnapshotRoot]}
	if attributes[csi.AttributeStaticVolume] == "true" {
		at.path = attributes[csi.AttributeRootPath]
		switch {
		case !at.known():
			return place{}, status.Errorf(codes.InvalidArgument, "static volume %s must have the attributes %s and %s",
				handle, csi.ParamFSName, csi.AttributeRootPath)
		case at.root == "" && showsSnapshot(attributes):
			return place{}, status.Errorf(codes.InvalidArgument,
				"static volume %s is to show a snapshot and must have the attribute %s, the directory of the snapshot below %s",
				handle, csi.AttributeSnapshotRoot, csi.AttributeRootPath)
		}
		return at, nil
	}
	if at.known() && (at.root != "" || at.whole() && !showsSnapshot(attributes)) {
		return at, nil
	}
	return s.lookup(ctx, access, handle, at)
}

// lookup asks the journal what a volume is, and Ceph where that is. What the attributes
// say of the directory stands if the volume shows no snapshot.
func (s *Server) lookup(ctx context.Context, access fsmount.Access, handle string, said place) (place, error) {
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return place{}, err
	}
	in, err := s.open(ctx, access, id)
	if err != nil {
		return place{}, fmt.Errorf("find volume %s: %w", handle, err)
	}
	defer in.close()
	entry, err := in.journal(journal.Volumes).Entry(ctx, id.UUID)
	switch {
	case err != nil:
		return place{}, err
	case entry.BackingSnapshot != "":
		shown, err := in.snapshot(ctx, entry.BackingSnapshot)
		if err != nil {
			return place{}, fmt.Errorf("find snapshot %s, which volume %s shows: %w", entry.BackingSnapshot, handle, err)
		}
		return shown, nil
	case said.known():
		return said, nil
	}
	data, err := in.data(ctx, entry.Group, entry.Image)
	return place{fsName: in.volume.Name, path: data}, err
}

// filesystem is a file system with its journals.
type filesystem struct {
	ceph.Client
	cluster storage.Cluster
	volume  ceph.Volume
	pool    storage.Pool
	// group is the subvolume group of what is recorded without one.
	group string
}

// open connects to the file system of a volume.
func (s *Server) open(ctx context.Context, access fsmount.Access, id csi.VolumeID) (filesystem, error) {
	group, err := s.Clusters.SubvolumeGroup(ctx, id.ClusterID)
	if err != nil {
		return filesystem{}, err
	}
	cluster, err := s.Dialer.DialStorage(ctx, access.Connection, access.Key)
	if err != nil {
		return filesystem{}, err
	}
	opened := filesystem{Client: ceph.Client{Conn: cluster}, cluster: cluster, group: group}
	if err := opened.find(ctx, id.PoolID); err != nil {
		cluster.Close()
		return filesystem{}, err
	}
	return opened, nil
}

// find opens the journals of the file system with this id.
func (f *filesystem) find(ctx context.Context, id int64) error {
	all, err := f.Volumes(ctx)
	if err != nil {
		return fmt.Errorf("list file systems: %w", err)
	}
	found := slices.IndexFunc(all, func(v ceph.Volume) bool { return v.ID == id })
	if found < 0 {
		return status.Errorf(codes.NotFound, "file system %d does not exist", id)
	}
	f.volume = all[found]
	metadata, err := f.cluster.PoolName(ctx, f.volume.MetadataPool)
	if err != nil {
		return err
	}
	f.pool, err = f.cluster.Pool(ctx, metadata, csi.JournalNamespace)
	return err
}

func (f *filesystem) close() {
	f.pool.Close()
	f.cluster.Close()
}

func (f *filesystem) journal(kind journal.Kind) journal.Journal {
	return journal.Journal{Omaps: f.pool, Kind: kind}
}

// data is the directory of data of a subvolume.
func (f *filesystem) data(ctx context.Context, group, name string) (string, error) {
	data, err := f.SubvolumePath(ctx, ceph.Subvolume{Volume: f.volume.Name, Group: cmp.Or(group, f.group), Name: name})
	if err != nil {
		return "", fmt.Errorf("find directory of subvolume %s: %w", name, err)
	}
	return data, nil
}

// snapshot finds the directory of a snapshot. It is taken of the directory above that of
// the data, and so has the latter in it.
func (f *filesystem) snapshot(ctx context.Context, handle string) (place, error) {
	id, err := csi.ParseVolumeID(handle)
	if err != nil {
		return place{}, err
	}
	if id.PoolID != f.volume.ID {
		return place{}, status.Errorf(codes.FailedPrecondition, "it is in file system %d and the volume in %d", id.PoolID, f.volume.ID)
	}
	entry, err := f.journal(journal.Snapshots).Entry(ctx, id.UUID)
	if err != nil {
		return place{}, err
	}
	if entry.Source == "" {
		return place{}, fmt.Errorf("%w: snapshot %s has no subvolume", journal.ErrInconsistent, id.UUID)
	}
	data, err := f.data(ctx, entry.Group, entry.Source)
	if err != nil {
		return place{}, err
	}
	return place{fsName: f.volume.Name, path: path.Dir(data), root: path.Join(".snap", entry.Image, path.Base(data))}, nil
}
