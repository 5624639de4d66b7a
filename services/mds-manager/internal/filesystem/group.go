package filesystem

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// infoGroup is the key of status.info that names the default group once it was
// made and pinned.
const infoGroup = "defaultGroup"

// defaultGroup makes the group of subvolumes that volumes are put into. One that
// was made and pinned is left as it is.
func (p *pass) defaultGroup(ctx context.Context) (step.Outcome, error) {
	if outcome := condition.Await(p.cluster, api.ConditionManagerActive); !outcome.IsDone() {
		return outcome, nil
	}
	groups, err := p.client.SubvolumeGroupList(ctx, p.fs.Name)
	if there := slices.Contains(groups, api.DefaultSubVolumeGroup); err == nil && (!there || !p.hasGroup()) {
		err = p.makeGroup(ctx, there)
	}
	switch {
	case errors.Is(err, ceph.ErrUnreachable) || errors.Is(err, ceph.ErrAgain) || errors.Is(err, ceph.ErrNotFound):
		// A mgr hears of a new file system a moment later than the mons.
		return step.Retry(poll, api.ReasonWaiting, "Waiting for the manager to answer about subvolume groups"), nil
	case errors.Is(err, ceph.ErrInvalid):
		return step.Retry(refusedRetry, api.ReasonWaiting, "Waiting for the CephFilesystemSubVolumeGroup of group csi, which Ceph refuses"), nil
	case err != nil:
		return step.None, fmt.Errorf("make subvolume group %s: %w", api.DefaultSubVolumeGroup, err)
	}
	p.grouped = true
	return step.Done, nil
}

// hasGroup tells whether the default group of this file system was made and
// pinned, now or before.
func (p *pass) hasGroup() bool {
	found, before := p.found(), p.before.FilesystemID
	noted := p.before.Info[infoGroup] != "" && found != nil && before != nil && *before == int64(found.ID)
	return p.grouped || noted || p.settled != nil && p.settled.grouped
}

// makeGroup makes the group, unless it is there, as an object of its own says, or pins
// it if there is none.
func (p *pass) makeGroup(ctx context.Context, there bool) error {
	var list api.CephFilesystemSubVolumeGroupList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.fs.Namespace)); err != nil {
		return fmt.Errorf("list CephFilesystemSubVolumeGroups: %w", err)
	}
	at := slices.IndexFunc(list.Items, func(group api.CephFilesystemSubVolumeGroup) bool {
		return group.Spec.FilesystemName == p.fs.Name && group.GroupName() == api.DefaultSubVolumeGroup && group.DeletionTimestamp.IsZero()
	})
	var spec ceph.SubvolumeGroupSpec
	if at >= 0 {
		spec.Pool = list.Items[at].Spec.DataPoolName // it cannot be changed later
	}
	if !there {
		if err := p.client.SubvolumeGroupCreate(ctx, p.fs.Name, api.DefaultSubVolumeGroup, spec); err != nil {
			return err
		}
	}
	if at >= 0 {
		return nil
	}
	return p.client.SubvolumeGroupPin(ctx, p.fs.Name, api.DefaultSubVolumeGroup, ceph.PinDistributed, "1")
}
