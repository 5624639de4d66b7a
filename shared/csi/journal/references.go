package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	referencesPrefix = "rt-backingsnapshot-"
	// ignored marks a reference that no longer counts: that of a snapshot to itself
	// once its deletion was asked for.
	ignored = "\x02"
)

// References are the handles of the volumes that show a snapshot, which is named
// by its handle, as ceph-csi keeps them. They also name volumes that have gone since by
// other hands: it is for the caller to look.
func (j Journal) References(ctx context.Context, snapshot string) ([]string, error) {
	values, err := j.Omaps.Omap(ctx, referencesPrefix+snapshot)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read references to snapshot %s: %w", snapshot, err)
	}
	var volumes []string
	for handle, kind := range values {
		if handle != snapshot && kind != ignored {
			volumes = append(volumes, handle)
		}
	}
	slices.Sort(volumes)
	return volumes, nil
}

// ForgetReferences removes all references to a snapshot. ceph-csi takes it for a
// snapshot that no volume shows.
func (j Journal) ForgetReferences(ctx context.Context, snapshot string) error {
	err := j.Omaps.RemoveObject(ctx, referencesPrefix+snapshot)
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("remove references to snapshot %s: %w", snapshot, err)
	}
	return nil
}
