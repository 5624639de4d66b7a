package group

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// connectRetry is how often a silent cluster is tried.
	connectRetry = 2 * time.Second
	// refusedRetry is how often Ceph is asked again for what it refused.
	refusedRetry = 30 * time.Second
	// deletionRetry is how often a group is looked at that something keeps.
	deletionRetry = 10 * time.Second
)

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.Apply.Finalizer(ctx, p.group, Finalizer())
}

// filesystem reads the file system of the group; nil if there is none.
func (p *pass) filesystem(ctx context.Context) (*api.CephFilesystem, error) {
	fs := &api.CephFilesystem{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.group.Namespace, Name: p.group.Spec.FilesystemName}, fs)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read CephFilesystem: %w", err)
	}
	return fs, nil
}

func (p *pass) findFilesystem(ctx context.Context) (step.Outcome, error) {
	fs, err := p.filesystem(ctx)
	if err != nil {
		return step.None, err
	}
	if fs == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for CephFilesystem '%s', which does not exist", p.group.Spec.FilesystemName)), nil
	}
	p.fs = fs
	if !serves(fs) {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for mds-manager: CephFilesystem '%s' is not served yet", fs.Name)), nil
	}
	return step.Done, nil
}

func (p *pass) findCluster(ctx context.Context) (step.Outcome, error) {
	found, err := owner.Of(ctx, p.Client, p.group.Namespace)
	if err != nil {
		return step.None, err
	}
	if found == nil {
		return step.Wait(api.ReasonWaiting, fmt.Sprintf("Waiting for a CephCluster in namespace '%s'", p.group.Namespace)), nil
	}
	p.cluster = found
	if outcome := condition.Await(found, api.ConditionMonitorsInQuorum); !outcome.IsDone() {
		return outcome, nil
	}
	return condition.Await(found, api.ConditionManagerActive), nil
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	found, outcome, err := p.Sessions.Client(ctx, p.cluster)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for Ceph: the monitors do not answer"), nil
	}
	p.client = found
	return outcome, err
}

// silent words the answers of a manager that cannot tell yet.
func silent(err error) (step.Outcome, bool) {
	if errors.Is(err, ceph.ErrUnreachable) || errors.Is(err, ceph.ErrAgain) {
		return step.Retry(connectRetry, api.ReasonWaiting, "Waiting for the manager to answer about subvolume groups"), true
	}
	return step.None, false
}

func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	seen, err := p.client.SubvolumeGroupInfo(ctx, p.group.Spec.FilesystemName, p.group.GroupName())
	if outcome, waits := silent(err); waits {
		return outcome, nil
	}
	if errors.Is(err, ceph.ErrNotFound) {
		p.missing = true
		return step.Done, nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read subvolume group %s: %w", p.group.GroupName(), err)
	}
	p.seen = &seen
	p.pinned = p.before.Info[infoPinning]
	if pool := p.group.Spec.DataPoolName; pool != "" && pool != seen.DataPool {
		p.drift = fmt.Sprintf("The data pool is '%s' in Ceph, not '%s', and cannot be changed; create another group", seen.DataPool, pool)
	}
	return step.Done, nil
}

// quota is the wanted limit in bytes; 0 is none.
func (p *pass) quota() uint64 {
	if p.group.Spec.Quota == nil {
		return 0
	}
	return uint64(p.group.Spec.Quota.Value())
}

func (p *pass) create(ctx context.Context) (step.Outcome, error) {
	if p.seen != nil {
		return step.Done, nil
	}
	spec := ceph.SubvolumeGroupSpec{Size: p.quota(), Pool: p.group.Spec.DataPoolName}
	err := p.client.SubvolumeGroupCreate(ctx, p.group.Spec.FilesystemName, p.group.GroupName(), spec)
	if outcome, waits := silent(err); waits {
		return outcome, nil
	}
	var refused *ceph.Error
	if errors.Is(err, ceph.ErrInvalid) && errors.As(err, &refused) {
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"Ceph refuses the group: %s; `dataPoolName` must be one of %s", refused.Status, strings.Join(p.fs.DataPoolNames(), ", "))), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("make subvolume group %s: %w", p.group.GroupName(), err)
	}
	p.seen = &ceph.SubvolumeGroup{BytesQuota: ceph.Bytes(p.quota())}
	return step.Done, nil
}

// resize sets the quota. One below what is used is refused by Ceph, and left as
// it is.
func (p *pass) resize(ctx context.Context) (step.Outcome, error) {
	switch {
	case uint64(p.seen.BytesQuota) == p.quota():
		return step.Done, nil
	case p.quota() > 0 && p.quota() < p.seen.BytesUsed:
		return p.belowUse(), nil
	}
	err := p.client.SubvolumeGroupResize(ctx, p.group.Spec.FilesystemName, p.group.GroupName(), p.quota())
	if outcome, waits := silent(err); waits {
		return outcome, nil
	}
	if errors.Is(err, ceph.ErrInvalid) {
		return p.belowUse(), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("set quota of subvolume group %s: %w", p.group.GroupName(), err)
	}
	return step.Done, nil
}

func (p *pass) belowUse() step.Outcome {
	return step.Retry(refusedRetry, api.ReasonQuotaBelowUse, fmt.Sprintf(
		"`quota` %s is less than what the group holds already; raise it, or delete subvolumes", p.group.Spec.Quota))
}

func (p *pass) pin(ctx context.Context) (step.Outcome, error) {
	kind, setting := pinning(p.group.Spec.Pinning)
	want := kind + "=" + setting
	if p.pinned == want {
		return step.Done, nil
	}
	err := p.client.SubvolumeGroupPin(ctx, p.group.Spec.FilesystemName, p.group.GroupName(), kind, setting)
	if outcome, waits := silent(err); waits {
		return outcome, nil
	}
	if errors.Is(err, ceph.ErrInvalid) {
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"Ceph refuses `pinning.%s` %s; for random, the option mds_export_ephemeral_random_max is the limit", kind, setting)), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("pin subvolume group %s: %w", p.group.GroupName(), err)
	}
	p.pinned = want
	return step.Done, nil
}

// findForDeletion finds out whether there is anything to remove: not without
// the cluster, which may never have come to be, and not without the file system.
func (p *pass) findForDeletion(ctx context.Context) (step.Outcome, error) {
	var err error
	if p.cluster, err = owner.Of(ctx, p.Client, p.group.Namespace); err != nil || p.cluster == nil {
		return step.Done, err
	}
	if p.cluster.Status.Connection == nil && p.before.Info[infoPinning] == "" {
		p.cluster = nil
		return step.Done, nil
	}
	if p.fs, err = p.filesystem(ctx); err != nil || p.fs == nil {
		return step.Done, err
	}
	return p.connect(ctx)
}

// remove refuses while subvolumes are in the group, because volumes name its
// clusterID. The default group itself belongs to its file system.
func (p *pass) remove(ctx context.Context) (step.Outcome, error) {
	if p.cluster == nil || p.fs == nil || p.twin != "" || p.outlives() {
		return step.Done, nil
	}
	if p.group.GroupName() != api.DefaultSubVolumeGroup {
		if outcome, err := p.removeEmpty(ctx); !errors.Is(err, ceph.ErrNotEmpty) {
			return outcome, err
		}
	}
	return p.awaitEmpty(ctx)
}

// outlives tells whether the group stays in Ceph with its file system, whose
// object goes.
func (p *pass) outlives() bool {
	return !p.fs.DeletionTimestamp.IsZero() && p.fs.Spec.PreserveFilesystemOnDelete
}

func (p *pass) removeEmpty(ctx context.Context) (step.Outcome, error) {
	name := p.group.GroupName()
	err := p.client.SubvolumeGroupRemove(ctx, p.group.Spec.FilesystemName, name)
	if outcome, waits := silent(err); waits {
		return outcome, nil
	}
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return step.None, fmt.Errorf("remove subvolume group %s: %w", name, err)
	}
	return step.Done, nil
}

// awaitEmpty names what is in the group.
func (p *pass) awaitEmpty(ctx context.Context) (step.Outcome, error) {
	name := p.group.GroupName()
	inside, err := p.client.SubvolumeList(ctx, p.group.Spec.FilesystemName, name)
	if outcome, waits := silent(err); waits {
		return outcome, nil
	}
	isDefault := name == api.DefaultSubVolumeGroup
	switch {
	case isDefault && (errors.Is(err, ceph.ErrNotFound) || err == nil && len(inside) == 0):
		return step.Done, nil
	case err != nil:
		return step.None, fmt.Errorf("list subvolumes of group %s: %w", name, err)
	case len(inside) == 0:
		inside = []string{"snapshots of removed subvolumes"}
	}
	p.blockers = inside
	return step.Retry(deletionRetry, api.ReasonDependents, fmt.Sprintf(
		"Group '%s' holds %s; delete the PersistentVolumeClaims or subvolumes first", name, problem.Names(inside))), nil
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	if err := p.Apply.RemoveFinalizer(ctx, p.group, legacyFinalizer); err != nil {
		return step.None, err
	}
	return step.Done, p.Apply.RemoveFinalizer(ctx, p.group, Finalizer())
}
