package claim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ready"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterClaim

	workers = 8
	// review is how often a settled claim is compared with the store; claims are
	// spread over the last part of it.
	review, spread = 10 * time.Minute, time.Minute
)

// Reconciler keeps the buckets of claims.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache: Secrets and ConfigMaps, which are not cached, and
	// whatever a deletion depends on.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Gateways Gateways
	Config   Config
	Clock    clock.PassiveClock

	// known holds, by UID, how a claim looked when it was settled, emptying how far
	// the deletion of its objects is.
	known, emptying sync.Map
	// purging is whose buckets are emptied.
	purging turns
	// sharing is who changes the policy of a bucket that several share.
	sharing locks
}

// +kubebuilder:rbac:namespace=claims,groups=objectbucket.io,resources=objectbucketclaims,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=claims,groups=objectbucket.io,resources=objectbucketclaims/status,verbs=patch
// +kubebuilder:rbac:namespace=claims,groups=objectbucket.io,resources=objectbucketclaims/finalizers,verbs=update
// +kubebuilder:rbac:namespace=claims,groups="",resources=secrets;configmaps,verbs=get;create;patch;delete
// +kubebuilder:rbac:namespace=claims,groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=objectbucket.io,resources=objectbuckets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=objectbucket.io,resources=objectbuckets/status,verbs=patch
// +kubebuilder:rbac:groups=storage.k8s.io,resources=storageclasses,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores,verbs=get;list;watch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, watches.Deleting{}, apply.OwnStatus(Name))
	all := handler.EnqueueRequestsFromMapFunc(queue.All(r.Client, &objectbucket.ObjectBucketClaimList{}))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&objectbucket.ObjectBucketClaim{}, builder.WithPredicates(changed)).
		Watches(&storagev1.StorageClass{}, all, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&api.CephObjectStore{}, all, builder.WithPredicates(ready.Changes{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// Reconcile makes the bucket of a claim what the claim says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var claim objectbucket.ObjectBucketClaim
	err := r.Client.Get(ctx, request.NamespacedName, &claim)
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read ObjectBucketClaim: %w", err)
	}
	p := &pass{Reconciler: r, claim: &claim, before: claim.Status}
	if mine, err := p.find(ctx); err != nil || !mine {
		return ctrl.Result{}, err
	}
	if !claim.DeletionTimestamp.IsZero() {
		report := step.Run(ctx, p.endSteps()...)
		return report.Result(), errors.Join(report.Err, p.status(ctx, report))
	}
	if left := p.settledFor(); left > 0 {
		return ctrl.Result{RequeueAfter: left}, p.status(ctx, step.Report{Outcome: step.Done})
	}
	report := step.Run(ctx, p.steps()...)
	result := report.Result()
	if report.IsDone() {
		result.RequeueAfter = p.settle()
	} else {
		r.known.Delete(claim.UID)
	}
	return result, errors.Join(report.Err, p.status(ctx, report))
}

// steps make a bucket. Nothing is made before all that can be known to be wrong is.
func (p *pass) steps() []step.Step {
	return []step.Step{
		step.Named("reread", p.reread),
		step.Named("check", p.check),
		step.Named("store", p.findStore),
		step.Named("connect", p.connect),
		step.Named("look", p.look),
		step.Named("beside", p.lookBeside),
		step.Named("finalizer", p.hold),
		step.Named("record", p.note),
		step.Named("user", p.makeUser),
		step.Named("bucket", p.makeBucket),
		step.Named("move", p.move),
		step.Named("limits", p.limit),
		step.Named("policy", p.setPolicy),
		step.Named("lifecycle", p.setLifecycle),
		step.Named("settings", p.noteSettings),
		step.Named("publish", p.publish),
	}
}

// mark is what a settled claim was compared with.
type mark struct {
	claim, class, store int64
	classUID, storeUID  types.UID
	record              types.UID
}

type view struct {
	mark  mark
	since time.Time
}

// now is the mark of what this pass has found; a store that cannot be read counts
// as one that has changed.
func (p *pass) now() mark {
	m := mark{claim: p.claim.Generation}
	if p.class != nil {
		m.class, m.classUID = p.class.Generation, p.class.UID
	}
	if p.record != nil {
		m.record = p.record.UID
	}
	if p.store != nil {
		m.store, m.storeUID = p.store.Generation, p.store.UID
	}
	return m
}

// settledFor is how long nothing needs to be compared; 0 when something does.
func (p *pass) settledFor() time.Duration {
	found, ok := p.known.Load(p.claim.UID)
	known, isView := found.(*view)
	if !ok || !isView || known.mark != p.now() {
		return 0
	}
	return known.since.Add(p.interval()).Sub(p.Clock.Now())
}

// settle remembers what was found and returns when to compare again.
func (p *pass) settle() time.Duration {
	p.known.Store(p.claim.UID, &view{mark: p.now(), since: p.Clock.Now()})
	return p.interval()
}

// interval spreads the reviews of claims that were made together.
func (p *pass) interval() time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.claim.UID)) // never fails
	return review - time.Duration(h.Sum32()%uint32(spread/time.Second))*time.Second
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	claim  *objectbucket.ObjectBucketClaim
	before objectbucket.ObjectBucketClaimStatus
	// class is nil when it does not exist, or is not ours any more.
	class *storagev1.StorageClass
	// record is the ObjectBucket as it is; nil when there is none.
	record *objectbucket.ObjectBucket
	// at is the store, where that is known.
	at    types.NamespacedName
	store *api.CephObjectStore

	want    wish
	gateway Gateway
	// user is the one whose keys are published, bucket the bucket, owner who owns it;
	// nil when there is none.
	user, owner *admin.User
	bucket      *admin.Bucket
	// secret and config are what is beside the claim; nil when there is nothing.
	secret *corev1.Secret
	config *corev1.ConfigMap
}

// wish is what shall be.
type wish struct {
	// bucket and user are names. own is that of the user that is made for the
	// claim; user is another one when the claim names the owner.
	bucket, user, own string
	// granted says that the bucket is somebody else's.
	granted  bool
	settings bucket.Settings
	address  address
}

// owned tells whether the user is one that is made for the claim.
func (w wish) owned() bool { return w.user == w.own }
