package volumes

import (
	"context"
	"errors"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// Static is the place of a volume that somebody made by hand: its handle names nothing,
// its attributes do. Its journal entry holds no more than its holder and its format.
type Static struct{ ClusterID, Pool, Image string }

// ReadStatic reads where a static volume is. ok is false for other volumes, and for one
// whose attributes do not say: no node can have attached it.
func ReadStatic(handle string, attributes map[string]string) (volume Static, ok bool) {
	if attributes[csi.AttributeStaticVolume] != "true" {
		return Static{}, false
	}
	volume = Static{ClusterID: attributes[csi.ParamClusterID], Pool: attributes[csi.ParamPool], Image: attributes[csi.AttributeImageName]}
	if volume.Image == "" {
		volume.Image = handle
	}
	return volume, volume.ClusterID != "" && volume.Pool != ""
}

// StaticHolder returns the node that has a static volume for writing, or nothing.
func (c *Controller) StaticHolder(ctx context.Context, volume Static, secrets map[string]string) (string, error) {
	at, entry, err := c.findStatic(ctx, volume, secrets)
	if errors.Is(err, ceph.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", call.Coded(err)
	}
	defer at.close()
	if entry.Holder == nil {
		return "", nil
	}
	return entry.Holder.Node, nil
}

// ReleaseStatic is Release for a static volume.
func (c *Controller) ReleaseStatic(ctx context.Context, volume Static, node string, evidence Evidence, secrets map[string]string) error {
	unlock, err := c.turns.Take(volume.ClusterID + "/" + volume.Pool + "/" + volume.Image)
	if err != nil {
		return err
	}
	defer unlock()
	at, entry, err := c.findStatic(ctx, volume, secrets)
	if errors.Is(err, ceph.ErrNotFound) || errors.Is(err, clusters.ErrUnknown) {
		return nil // a holder that the journal may have keeps others away
	}
	if err != nil {
		return call.Coded(err)
	}
	defer at.close()
	return at.release(ctx, entry, node, evidence)
}

// findStatic opens the pool of a static volume and reads its record,
// ceph.ErrNotFound when no node ever had it for writing.
func (c *Controller) findStatic(ctx context.Context, volume Static, secrets map[string]string) (place, journal.Entry, error) {
	cluster, err := c.connect(ctx, volume.ClusterID, secrets)
	if err != nil {
		return place{}, journal.Entry{}, err
	}
	at, err := open(ctx, cluster, volume.Pool)
	if err != nil {
		return place{}, journal.Entry{}, err
	}
	entry, err := at.journal.Entry(ctx, journal.StaticEntry(volume.Image))
	if err != nil {
		at.close()
		return place{}, journal.Entry{}, err
	}
	entry.Image = volume.Image
	return at, entry, nil
}
