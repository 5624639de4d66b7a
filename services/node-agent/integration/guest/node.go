package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/module"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/node"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/record"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/share"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// Node is the receiver of all calls. They follow the rules of net/rpc.
type Node struct {
	attacher attach.Attacher
	mounter  mount.Interface
	node     *node.Server
	shares   *share.Server
	world    *world
}

// New puts a node together as node-agent does, with the kernel's clients only.
func New() (*Node, error) {
	boot, err := record.Boot()
	if err != nil {
		return nil, err
	}
	n := &Node{
		attacher: attach.Attacher{
			Directory: "/run/attached", Boot: boot,
			Backends: []attach.Backend{attach.Krbd{Sys: "/sys", Modules: module.Load, Refused: new(attach.Refusals).Refused}},
		},
		mounter: mount.New(""),
		world:   &world{},
	}
	n.node = &node.Server{Attacher: n.attacher, Mounter: n.mounter}
	n.shares = &share.Server{Clusters: n.world, Mounter: n.mounter, Mounters: fsmount.Mounters{
		Directory: "/run/mounted", Boot: boot,
		Known: []fsmount.Mounter{fsmount.Kernel{Filesystems: "/proc/filesystems", Modules: module.Load, Call: unix.Mount}},
	}}
	return n, nil
}

// Kernel tells which kernel runs.
func (*Node) Kernel(_ Nothing, release *string) error {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	*release = strings.TrimSpace(string(text))
	return err
}

// Attach makes a device.
func (n *Node) Attach(args AttachArgs, made *attach.Attachment) (err error) {
	*made, err = n.attacher.Attach(context.Background(), args.Volume, attach.Choice{Mounter: args.Mounter})
	return err
}

// Detach takes a device away.
func (n *Node) Detach(volumeID string, _ *Nothing) error {
	return n.attacher.Detach(context.Background(), volumeID)
}

// Serves tells whether a volume's device serves.
func (n *Node) Serves(volumeID string, serves *bool) error {
	made, err := n.attacher.Find(volumeID)
	*serves = err == nil && n.attacher.Serves(made)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return err
}

// Format makes a file system on a blank device of a volume that never had one, and tells
// what is there afterwards.
func (*Node) Format(args FormatArgs, kind *string) error {
	tools := filesystem.Tools{}
	found, err := tools.Look(args.Device)
	if err != nil {
		return err
	}
	action, decided, err := filesystem.Decide(journal.Format{}, found, args.Kind)
	if err != nil {
		return err
	}
	*kind = decided
	if action == filesystem.Mount {
		return nil
	}
	if err := tools.Format(context.Background(), args.Device, decided, ""); err != nil {
		return err
	}
	found, err = tools.Look(args.Device)
	if err == nil && !found.Has(decided) {
		err = fmt.Errorf("look at %s after mkfs: %+v", args.Device, found)
	}
	return err
}

// Mount mounts a device.
func (n *Node) Mount(args MountArgs, _ *Nothing) error {
	if err := os.MkdirAll(args.Where, 0o750); err != nil {
		return err
	}
	return n.mounter.Mount(args.Device, args.Where, args.Kind, args.Flags)
}

// Grow shows the whole image of a volume at its device, and lets its file system have it.
func (n *Node) Grow(args GrowArgs, _ *Nothing) error {
	ctx := context.Background()
	made, err := n.attacher.Find(args.Handle)
	if err != nil {
		return err
	}
	if err := n.attacher.Grow(ctx, made, args.Size); err != nil || args.Where == "" {
		return err
	}
	return filesystem.Tools{}.Grow(ctx, made.Device, args.Where, args.Kind)
}

// Outgrown tells whether a device is larger than the file system that is on it.
func (*Node) Outgrown(device string, outgrown *bool) error {
	found, err := filesystem.Tools{}.Look(device)
	*outgrown = found.Outgrown()
	return err
}

// Unmount unmounts a path, as unstaging does.
func (n *Node) Unmount(where string, _ *Nothing) error {
	return mount.CleanupMountPoint(where, n.mounter, true)
}

// Stats tells how a published RBD volume is.
func (n *Node) Stats(args StatsArgs, health *Health) error {
	return describe(n.node.NodeGetVolumeStats(context.Background(), statsRequest(args)))(health)
}

func statsRequest(args StatsArgs) *csipb.NodeGetVolumeStatsRequest {
	return &csipb.NodeGetVolumeStatsRequest{VolumeId: args.Handle, VolumePath: args.Path}
}

func describe(response *csipb.NodeGetVolumeStatsResponse, err error) func(*Health) error {
	return func(health *Health) error {
		if err != nil {
			return err
		}
		condition := response.GetVolumeCondition()
		*health = Health{Abnormal: condition.GetAbnormal(), Message: condition.GetMessage()}
		if usage := response.GetUsage(); len(usage) > 0 {
			health.Total = usage[0].GetTotal()
		}
		return nil
	}
}
