package volumes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// fenceFor is how long a fenced client stays fenced. A client on a node that was cut
// off may come back after weeks; its address with its nonce is never used again.
const fenceFor = 365 * 24 * time.Hour

// Evidence is what is known of a node that has to give up a volume.
type Evidence int

const (
	// InUse means that the node may still write to the volume.
	InUse Evidence = iota
	// LetGo means that the node itself says that it does not use the volume.
	LetGo
	// Gone means that there is proof that the node does not run the volume's pods
	// any more.
	Gone
)

// Nodes lists the nodes that the journal knows to have the volume: attached, or
// holding it. A volume that does not exist is at no node.
func (c *Controller) Nodes(ctx context.Context, handle string, secrets map[string]string) ([]string, error) {
	at, entry, err := c.find(ctx, handle, secrets)
	if status.Code(call.Coded(err)) == codes.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, call.Coded(err)
	}
	defer at.close()
	nodes := slices.Collect(maps.Keys(entry.Published))
	if entry.Holder != nil && !slices.Contains(nodes, entry.Holder.Node) {
		nodes = append(nodes, entry.Holder.Node)
	}
	slices.Sort(nodes)
	return nodes, nil
}

// Release ends a node's hold on a volume before it may go elsewhere. A holder
// that never told the journal that it let go is fenced, by the address that it
// recorded when it attached; without evidence nothing is done.
func (c *Controller) Release(ctx context.Context, handle, node string, evidence Evidence, secrets map[string]string) error {
	unlock, err := c.turns.Take(handle)
	if err != nil {
		return err
	}
	defer unlock()
	at, entry, err := c.find(ctx, handle, secrets)
	if status.Code(call.Coded(err)) == codes.NotFound {
		return nil
	}
	if err != nil {
		return call.Coded(err)
	}
	defer at.close()
	return at.release(ctx, entry, node, evidence)
}

func (p place) release(ctx context.Context, entry journal.Entry, node string, evidence Evidence) error {
	if entry.Holder == nil || entry.Holder.Node != node {
		return nil
	}
	if evidence == InUse {
		return status.Errorf(codes.FailedPrecondition,
			"node %s still uses the volume; if it is down for good, delete the Node or taint it node.kubernetes.io/out-of-service", node)
	}
	if err := p.fence(ctx, entry, evidence); err != nil {
		return call.Coded(err)
	}
	return call.Coded(p.journal.SetHolder(ctx, entry.UUID, nil))
}

// fence makes sure that the holder's client never writes again.
func (p place) fence(ctx context.Context, entry journal.Entry, evidence Evidence) error {
	watchers, err := p.pool.Watchers(ctx, entry.Image)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	addresses := map[string]bool{}
	for _, watcher := range watchers {
		// Between claiming and recording its address a client can be told only
		// by having the image open.
		if entry.Holder.Address == "" || entry.Holder.Address == watcher.Address {
			addresses[watcher.Address] = true
		}
	}
	if evidence == LetGo {
		if len(addresses) > 0 {
			return fmt.Errorf("node %s let go of the volume and its client still has the image open: %w", entry.Holder.Node, ceph.ErrAgain)
		}
		return nil
	}
	if entry.Holder.Address != "" {
		// It may be cut off: silent now, and back with old writes later.
		addresses[entry.Holder.Address] = true
	}
	for address := range addresses {
		if err := (ceph.Client{Conn: p.cluster}).BlocklistAdd(ctx, address, fenceFor); err != nil {
			return fmt.Errorf("fence client %s of node %s: %w", address, entry.Holder.Node, err)
		}
	}
	return nil
}
