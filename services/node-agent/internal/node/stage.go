package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/mounts"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// staging is one call of NodeStageVolume.
type staging struct {
	*Server
	handle  string
	path    string
	use     usage
	target  target
	request *csipb.NodeStageVolumeRequest
	key     keyring.Key
	pool    storage.Pool
	journal journal.Journal
	entry   journal.Entry
	volume  attach.Volume
	// spare tells that the device has grown since its file system was made.
	spare bool
}

// NodeStageVolume attaches the volume to this node and, unless it is a raw
// block volume, mounts its file system below the staging path.
func (s *Server) NodeStageVolume(
	ctx context.Context, request *csipb.NodeStageVolumeRequest,
) (*csipb.NodeStageVolumeResponse, error) {
	handle, path := request.GetVolumeId(), request.GetStagingTargetPath()
	if err := call.Required("volume_id", handle, "staging_target_path", path); err != nil {
		return nil, err
	}
	use, err := readCapability(request.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	at, err := readTarget(handle, request.GetVolumeContext())
	if err != nil {
		return nil, err
	}
	unlock, err := s.turns.Take(handle)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if done, err := s.staged(handle, path, use); done || err != nil {
		return &csipb.NodeStageVolumeResponse{}, call.Coded(err)
	}
	key, err := s.keys.ToStage(ctx, s.Clusters, at.clusterID, handle, request.GetSecrets())
	if err != nil {
		return nil, call.Coded(err)
	}
	p := &staging{Server: s, handle: handle, path: path, use: use, target: at, request: request, key: key}
	if err := p.run(ctx); err != nil {
		return nil, call.Coded(err)
	}
	return &csipb.NodeStageVolumeResponse{}, nil
}

// staged tells whether the volume is staged already and serves.
func (s *Server) staged(handle, path string, use usage) (bool, error) {
	record, err := s.Attacher.Find(handle)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil || !s.Attacher.Serves(record) {
		return false, err
	}
	if record.ReadOnly != use.readOnly {
		return false, status.Errorf(codes.AlreadyExists, "volume %s is staged with another access mode", handle)
	}
	if use.block {
		return true, nil
	}
	mounted, err := s.mounted(stagedMount(path, handle))
	return mounted, err
}

// stagedMount is where the file system of a volume is mounted: in a directory of
// the staging path, so that a file with facts can lie beside it.
func stagedMount(path, handle string) string { return filepath.Join(path, handle) }

func (s *Server) mounted(path string) (bool, error) {
	return mounts.Mounts{Interface: s.Mounter}.Serves(path)
}

func (p *staging) run(ctx context.Context) error {
	connection, err := p.Clusters.Connection(ctx, p.target.clusterID)
	if err != nil {
		return err
	}
	cluster, err := p.Dialer.DialStorage(ctx, connection, p.key)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := p.find(ctx, cluster); err != nil {
		return err
	}
	defer p.pool.Close()
	p.volume = attach.Volume{
		ID: p.handle, Connection: connection, Key: p.key, Pool: p.pool.Name(), Image: p.target.image,
		ReadOnly: p.use.readOnly, ClusterID: p.target.clusterID, Entry: p.target.entry,
		MapOptions: p.request.GetVolumeContext()[csi.ParamMapOptions], UnmapOptions: p.request.GetVolumeContext()[csi.ParamUnmapOptions],
	}
	if err := p.claim(ctx); err != nil {
		return err
	}
	device, err := p.attach(ctx)
	if err != nil || p.use.block {
		return err
	}
	return p.mount(ctx, device)
}

// find opens the pool and reads the journal.
func (p *staging) find(ctx context.Context, cluster storage.Cluster) (err error) {
	name := p.target.pool
	if !p.target.static {
		if name, err = cluster.PoolName(ctx, p.target.poolID); err != nil {
			return fmt.Errorf("find pool of volume %s: %w", p.handle, err)
		}
	}
	if p.pool, err = cluster.Pool(ctx, name, ""); err != nil {
		return err
	}
	p.journal = journal.Journal{Omaps: p.pool}
	p.entry, err = p.journal.Entry(ctx, p.target.entry)
	if p.target.static && errors.Is(err, ceph.ErrNotFound) {
		p.entry, err = journal.Entry{UUID: p.target.entry, Image: p.target.image}, nil
	}
	if err == nil && p.target.image == "" {
		p.target.image = p.entry.Image
	}
	if err != nil {
		p.pool.Close()
	}
	return err
}

// claim makes this node the holder of a volume that only one node may write to.
// It refuses while the journal names another node or a client that is not ours
// has the image open.
func (p *staging) claim(ctx context.Context) error {
	if !p.use.exclusive {
		return nil
	}
	if record, err := p.Attacher.Find(p.handle); err == nil && p.Attacher.Serves(record) {
		if p.entry.Holder != nil && p.entry.Holder.Node == p.Node {
			return nil
		}
		return p.hold(ctx)
	}
	// What a predecessor on this node left broken must not count as foreign.
	if err := p.Attacher.Detach(ctx, p.handle); err != nil {
		return fmt.Errorf("remove broken attachment: %w", err)
	}
	watchers, err := p.pool.Watchers(ctx, p.target.image)
	if err != nil {
		return err
	}
	if len(watchers) > 0 {
		return status.Errorf(codes.FailedPrecondition,
			"image %s/%s is open at client %s; a client that died is forgotten after 30 seconds", p.pool.Name(), p.target.image, watchers[0].Address)
	}
	return p.hold(ctx)
}

// hold makes this node the holder and goes on with the entry of that moment: another
// node may have formatted the volume since it was looked up.
func (p *staging) hold(ctx context.Context) error {
	entry, err := p.journal.Claim(ctx, p.entry.UUID, journal.Holder{Node: p.Node})
	if err != nil {
		return err
	}
	p.entry = entry
	return nil
}

// attach makes the device and records the client's address before anything is
// written through it.
func (p *staging) attach(ctx context.Context) (string, error) {
	record, err := p.Attacher.Attach(ctx, p.volume, readChoice(p.request.GetVolumeContext()))
	if err != nil {
		return "", errors.Join(err, p.giveUp(context.WithoutCancel(ctx)))
	}
	if ignored := attach.Ignored(record.Backend, p.volume); len(ignored) > 0 {
		logr.FromContextOrDiscard(ctx).Info("options do not apply to the way that the volume is attached",
			"volume", p.handle, "mounter", record.Backend, "options", ignored)
	}
	if !p.use.exclusive {
		return record.Device, nil
	}
	address := record.Address
	if address == "" {
		watchers, err := p.pool.Watchers(ctx, p.target.image)
		if err != nil {
			return "", err
		}
		if len(watchers) != 1 {
			return "", fmt.Errorf("image %s/%s has %d clients, want one: %w", p.pool.Name(), p.target.image, len(watchers), ceph.ErrAgain)
		}
		address = watchers[0].Address
	}
	holder := &journal.Holder{Node: p.Node, Address: address, Backend: record.Backend}
	return record.Device, p.journal.SetHolder(ctx, p.entry.UUID, holder)
}

// giveUp ends the hold after an attachment that failed. While anything of it is left, a
// client of this node may have the image open, and the node stays the holder.
func (p *staging) giveUp(ctx context.Context) error {
	if !p.use.exclusive {
		return nil
	}
	if _, err := p.Attacher.Find(p.handle); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return p.journal.SetHolder(ctx, p.entry.UUID, nil)
}

// mount formats the device if it never was and mounts it.
func (p *staging) mount(ctx context.Context, device string) error {
	kind, err := p.format(ctx, device)
	if err != nil {
		return err
	}
	where := stagedMount(p.path, p.handle)
	if err := os.MkdirAll(where, 0o750); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	flags := slices.Clone(p.use.flags)
	if kind == "xfs" && !slices.Contains(flags, "nouuid") {
		// A clone has the uuid of its source.
		flags = append(flags, "nouuid")
	}
	if err := p.Mounter.Mount(device, where, kind, flags); err != nil {
		return fmt.Errorf("mount volume: %w", err)
	}
	if err := p.grow(ctx, device, where, kind); err != nil {
		return err
	}
	logr.FromContextOrDiscard(ctx).Info("volume staged", "volume", p.handle, "image", p.target.image, "device", device, "filesystem", kind)
	return nil
}

// grow lets the file system have what the device has grown by while it was not mounted. A
// volume that cannot grow is not staged: it has not the size that its users were told.
func (p *staging) grow(ctx context.Context, device, where, kind string) error {
	if !p.spare || p.use.readOnly {
		return nil
	}
	err := p.Formats.Grow(ctx, device, where, kind)
	if err != nil {
		err = errors.Join(err, p.Mounter.Unmount(where))
	}
	return err
}

func (p *staging) format(ctx context.Context, device string) (string, error) {
	found, err := p.Formats.Look(device)
	if err != nil {
		return "", err
	}
	action, kind, err := filesystem.Decide(p.entry.Format, found, p.use.fsType)
	if err != nil {
		return "", status.Errorf(codes.FailedPrecondition, "volume %s: %v", p.handle, err)
	}
	p.spare = action == filesystem.Mount && found.Outgrown()
	formatted := journal.Format{State: journal.Formatted, Type: kind}
	if action == filesystem.Make {
		if p.use.readOnly {
			return "", status.Errorf(codes.FailedPrecondition, "volume %s has no file system yet and is to be mounted read-only", p.handle)
		}
		begun := journal.Format{State: journal.Formatting, Type: kind}
		if err := p.journal.SetFormat(ctx, p.entry.UUID, begun); err != nil {
			return "", err
		}
		if err := p.Formats.Format(ctx, device, kind, p.request.GetVolumeContext()[csi.ParamMkfsOptions]); err != nil {
			return "", err
		}
	}
	if p.entry.Format == formatted || p.use.readOnly {
		return kind, nil
	}
	return kind, p.journal.SetFormat(ctx, p.entry.UUID, formatted)
}
