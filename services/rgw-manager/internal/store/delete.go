package store

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// deletionRetry is how often a store is looked at that something keeps.
const deletionRetry = 10 * time.Second

// endRetry is how often is looked whether gateways have ended, or are back.
const endRetry = 2 * time.Second

// noteRetry is how soon a pass follows one that noted something in the status.
const noteRetry = 100 * time.Millisecond

// endSteps remove a store. Whatever they were interrupted at, they begin anew.
func (p *pass) endSteps() []step.Step {
	if p.store.Spec.Gateway.External() {
		return []step.Step{step.Named("users", p.awaitUsers), step.Named("release", p.release)}
	}
	return []step.Step{
		step.Named("users", p.awaitUsers),
		step.Named("cluster", p.findClusterForDeletion),
		step.Named("connect", p.unlessOrphaned(p.connect)),
		step.Named("look", p.unlessOrphaned(p.lookForDeletion)),
		step.Named("buckets", p.unlessOrphaned(p.awaitBuckets)),
		step.Named("gateways", p.unlessOrphaned(p.endGateways)),
		step.Named("setup", p.unlessOrphaned(p.endSetup)),
		step.Named("pools", p.unlessOrphaned(p.removePools)),
		step.Named("key", p.unlessOrphaned(p.endKey)),
		step.Named("release", p.release),
	}
}

// awaitUsers waits for the objects that need this one.
func (p *pass) awaitUsers(ctx context.Context) (step.Outcome, error) {
	var list api.CephObjectStoreUserList
	if err := p.Client.List(ctx, &list); err != nil {
		return step.None, fmt.Errorf("list CephObjectStoreUsers: %w", err)
	}
	for i := range list.Items {
		user := &list.Items[i]
		if user.Spec.Store != p.store.Name || user.StoreNamespace() != p.store.Namespace || !p.holds(user) {
			continue
		}
		name := user.Name
		if user.Namespace != p.store.Namespace {
			name = user.Namespace + "/" + name
		}
		p.blockers = append(p.blockers, "CephObjectStoreUser "+name)
	}
	if err := p.nameClaims(ctx); err != nil {
		return step.None, err
	}
	if len(p.blockers) == 0 {
		return step.Done, nil
	}
	if !p.store.Spec.Gateway.External() && !p.keeps() {
		p.nameBuckets(ctx)
	}
	return step.Retry(deletionRetry, api.ReasonDependents, "Still there: "+problem.Names(p.blockers)+"; delete them first"), nil
}

// nameClaims adds the claims whose buckets nobody could delete without this store. One
// that is to go and leave all that it holds leaves those, too.
func (p *pass) nameClaims(ctx context.Context) error {
	if p.store.Spec.PreservePoolsOnDelete {
		return nil
	}
	var list objectbucket.ObjectBucketList
	if err := p.Live.List(ctx, &list); err != nil {
		return fmt.Errorf("list ObjectBuckets: %w", err)
	}
	for i := range list.Items {
		bucket := &list.Items[i]
		ref := bucket.Spec.ClaimRef
		if ref == nil || bucket.Store() != client.ObjectKeyFromObject(p.store) {
			continue
		}
		var claim objectbucket.ObjectBucketClaim
		err := p.Live.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &claim)
		switch {
		case apierrors.IsNotFound(err), err == nil && claim.UID != ref.UID:
		case err == nil, apierrors.IsForbidden(err): // in a namespace that is none of ours it may be there
			p.blockers = append(p.blockers, fmt.Sprintf("ObjectBucketClaim %s/%s", ref.Namespace, ref.Name))
		default:
			return fmt.Errorf("read ObjectBucketClaim: %w", err)
		}
	}
	return nil
}

// holds tells whether a user keeps the store: whoever may not have one there, and has
// none, does not.
func (p *pass) holds(user *api.CephObjectStoreUser) bool {
	made := user.Status != nil && len(user.Status.KeyHashes) > 0
	return made || p.store.AllowsUsersIn(user.Namespace)
}

// nameBuckets adds the buckets to what is named, so that a person hears of all that
// has to go at once. A store that cannot tell now is asked when its users are gone.
func (p *pass) nameBuckets(ctx context.Context) {
	inside, outcome, err := p.Gateways.Buckets(ctx, p.store)
	if err == nil && outcome.IsDone() {
		p.blockBy(inside)
	}
}

func (p *pass) blockBy(buckets []string) {
	for _, name := range buckets {
		p.blockers = append(p.blockers, "bucket "+name)
	}
}

// findClusterForDeletion lets a store go whose cluster is gone, or never came to be:
// nobody could remove it, and nobody may. So it is with a store that was refused because
// its name, and all that is called so in Ceph, is that of another object.
func (p *pass) findClusterForDeletion(ctx context.Context) (step.Outcome, error) {
	found, err := owner.Of(ctx, p.Client, p.store.Namespace)
	if err != nil || found == nil {
		return step.Done, err
	}
	if p.before.Setup == nil {
		if found.Status.Connection == nil {
			return step.Done, nil
		}
		if outcome, err := p.checkName(ctx, p.Live); err != nil || !outcome.IsDone() {
			return step.Done, err
		}
	}
	p.cluster = found
	return step.Done, nil
}

func (p *pass) unlessOrphaned(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.cluster == nil {
			return step.Done, nil
		}
		return do(ctx)
	}
}

// lookForDeletion reads what is there, past the cache: whether the gateways can
// still be asked depends on it.
func (p *pass) lookForDeletion(ctx context.Context) (step.Outcome, error) {
	if err := p.observeDeployment(ctx, p.Live); err != nil {
		return step.None, err
	}
	return p.observe(ctx)
}

// keeps tells whether what the store holds outlives its object: it shall, or belongs
// to a zone.
func (p *pass) keeps() bool { return !p.own() || p.store.Spec.PreservePoolsOnDelete }

// awaitBuckets refuses while there is a bucket in the store. It looks again right
// before the gateways end, and is satisfied with what it found then once they have.
func (p *pass) awaitBuckets(ctx context.Context) (step.Outcome, error) {
	if p.keeps() {
		return step.Done, nil
	}
	if p.before.Setup == nil && !p.hasPools() {
		p.emptied = true
		return step.Done, nil
	}
	noted := p.notedEmpty()
	if noted && !p.serving() {
		p.emptied = true
		return step.Done, nil
	}
	inside, outcome, err := p.buckets(ctx)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	p.blockBy(inside)
	if len(inside) > 0 {
		return step.Retry(deletionRetry, api.ReasonBucketsExist, fmt.Sprintf(
			"Store '%s' holds %s; delete them first, or set `preservePoolsOnDelete` to keep them", p.store.Name, problem.Names(p.blockers))), nil
	}
	p.emptied = true
	if !noted {
		// Once the gateways are gone, only the status tells that nothing was left.
		return step.Retry(noteRetry, api.ReasonWaiting, "Noting that no bucket is left"), nil
	}
	return step.Done, nil
}

// buckets names what a gateway says is left, or nothing when none can be asked and
// the pools prove it.
func (p *pass) buckets(ctx context.Context) ([]string, step.Outcome, error) {
	inside, outcome, err := p.Gateways.Buckets(ctx, p.store)
	if err != nil {
		return nil, step.None, fmt.Errorf("list buckets: %w", err)
	}
	if !outcome.IsDone() {
		outcome, err = p.awaitEmptyPools(ctx, outcome)
		return nil, outcome, err
	}
	return inside, step.Done, nil
}

// serving tells whether there are gateways that nobody has ended.
func (p *pass) serving() bool {
	return p.deployment != nil && p.deployment.DeletionTimestamp.IsZero()
}

// notedEmpty tells whether a pass before has found that no bucket is left.
func (p *pass) notedEmpty() bool {
	c := condition.Find(p.before.Conditions, api.ConditionDeletionIsBlocked)
	return c != nil && c.Reason == reasonNoBuckets
}

// heldBuckets tells whether a pass before has heard of buckets. Only who could name
// them can tell that they are gone.
func (p *pass) heldBuckets() bool {
	c := condition.Find(p.before.Conditions, api.ConditionDeletionIsBlocked)
	return c != nil && c.Status == metav1.ConditionTrue && c.Reason == api.ReasonBucketsExist
}

// hasPools tells whether any pool of the store is there.
func (p *pass) hasPools() bool {
	for _, want := range p.wantedPools() {
		if want.Name != zonepools.Root && p.pools.Pools[want.Name] != nil {
			return true
		}
	}
	return p.shared() != nil
}

// awaitEmptyPools is for a store whose gateways cannot be asked, for the reason given:
// only pools that hold nothing of any bucket prove that there is none.
func (p *pass) awaitEmptyPools(ctx context.Context, why step.Outcome) (step.Outcome, error) {
	held, reason := "the pools are shared", why.Reason
	switch {
	case p.heldBuckets():
		held, reason = "there were some when it was last known", api.ReasonBucketsExist
	case p.shared() == nil:
		var err error
		parts := zonepools.BucketParts()
		if p.before.Setup == nil {
			parts = zonepools.Parts() // we never wrote anything into them
		}
		if held, err = zonepools.Held(ctx, p.client, p.store.Name, parts); err != nil || held == "" {
			return step.Done, err
		}
	}
	p.blockers = append(p.blockers, held)
	if p.deployment == nil && p.before.Setup != nil {
		why, err := p.bringBack(ctx)
		return step.Retry(endRetry, reason, fmt.Sprintf("The gateways are started again to tell which buckets are left, since %s: %s", held, why.Message)), err
	}
	return step.Retry(deletionRetry, reason, fmt.Sprintf(
		"Nobody can tell whether buckets are left: %s, and %s; have a gateway answer, or set `preservePoolsOnDelete`", why.Message, held)), nil
}

// confirm reads the object anew, right before something is destroyed.
func (p *pass) confirm(ctx context.Context) (step.Outcome, error) {
	changed := step.Retry(connectRetry, api.ReasonWaiting, "Waiting for the cache: the object has changed")
	var live api.CephObjectStore
	err := p.Live.Get(ctx, client.ObjectKeyFromObject(p.store), &live)
	if apierrors.IsNotFound(err) {
		return changed, nil
	}
	if err != nil {
		return step.None, fmt.Errorf("read CephObjectStore: %w", err)
	}
	if live.UID != p.store.UID || live.DeletionTimestamp.IsZero() || live.Generation != p.store.Generation {
		return changed, nil
	}
	return step.Done, nil
}
