package user

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ready"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterObjectUser
	// legacyFinalizer is what Rook left on a CephObjectStoreUser that was taken over.
	legacyFinalizer = "cephobjectstoreuser.ceph.rook.io"

	workers = 8
	// Overlap is how long a key stays valid that was replaced.
	Overlap = 10 * time.Minute
	// review is how often a settled user is compared with the store; users are spread
	// over the last part of it.
	review, spread = 10 * time.Minute, time.Minute
	// keyRecheck is how often the Secrets are read that hold keys: they are a person's,
	// and nobody tells us of them.
	keyRecheck = 30 * time.Second
	// refusedRetry is how often is tried again what only a person can mend.
	refusedRetry = 30 * time.Second
	// missingRetry is how often a Secret is looked for that is not there.
	missingRetry = 5 * time.Second
	// deletionRetry is how often a user is looked at that something keeps.
	deletionRetry = 10 * time.Second
)

// Finalizer keeps a CephObjectStoreUser until its user is gone.
func Finalizer() string { return names.Finalizer(gateway.Service) }

// Reconciler keeps the users of object stores.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache: Secrets, and whatever a deletion depends on.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Gateways *ops.Pool
	Clock    clock.PassiveClock
	// Namespaces are those that may hold the stores; empty for all. Users of others are
	// left to those who serve them.
	Namespaces []string

	// drawn holds, by UID, the key of a user that is being made.
	drawn sync.Map
	// known holds, by UID, how a user looked when it was settled.
	known sync.Map
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstoreusers,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstoreusers/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstoreusers/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephobjectstores,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:namespace=claims,groups=ceph.rook.io,resources=cephobjectstoreusers,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=claims,groups=ceph.rook.io,resources=cephobjectstoreusers/status,verbs=patch
// +kubebuilder:rbac:namespace=claims,groups=ceph.rook.io,resources=cephobjectstoreusers/finalizers,verbs=update
// +kubebuilder:rbac:namespace=claims,groups="",resources=secrets,verbs=get;create;patch
// +kubebuilder:rbac:namespace=claims,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephObjectStoreUser{}, builder.WithPredicates(watches.Edited(Name))).
		Owns(&corev1.Secret{}).
		Watches(&api.CephObjectStore{}, handler.EnqueueRequestsFromMapFunc(r.of), builder.WithPredicates(ready.Changes{})).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// of names the users of a store.
func (r *Reconciler) of(ctx context.Context, store client.Object) []ctrl.Request {
	var list api.CephObjectStoreUserList
	if err := r.Client.List(ctx, &list); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "users not listed")
		return nil
	}
	var all []ctrl.Request
	for i := range list.Items {
		if user := &list.Items[i]; user.Spec.Store == store.GetName() && user.StoreNamespace() == store.GetNamespace() {
			all = append(all, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(user)})
		}
	}
	return all
}

// Reconcile makes the user what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var user api.CephObjectStoreUser
	err := r.Client.Get(ctx, request.NamespacedName, &user)
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CephObjectStoreUser: %w", err)
	}
	if len(r.Namespaces) > 0 && !slices.Contains(r.Namespaces, user.StoreNamespace()) {
		return ctrl.Result{}, nil
	}
	p := &pass{Reconciler: r, user: &user}
	if user.Status != nil {
		p.before = *user.Status
	}
	p.now = p.before
	if !user.DeletionTimestamp.IsZero() {
		report := step.Run(ctx, p.endSteps()...)
		return report.Result(), errors.Join(report.Err, p.status(ctx, report))
	}
	if err := p.observe(ctx); err != nil {
		return ctrl.Result{}, err
	}
	if known, left := p.settledFor(); left > 0 {
		// The cache may be older than what the pass wrote that settled.
		p.before, p.now = known, known
		return ctrl.Result{RequeueAfter: p.sooner(left)}, p.status(ctx, step.Report{Outcome: step.Done})
	}
	r.known.Delete(user.UID)
	report := step.Run(ctx, p.steps()...)
	if err := p.status(ctx, report); err != nil || !report.IsDone() {
		return report.Result(), errors.Join(report.Err, err)
	}
	return ctrl.Result{RequeueAfter: p.sooner(p.settle())}, nil
}

// steps make a user. Nothing is made before all that can be known to be wrong is.
func (p *pass) steps() []step.Step {
	return []step.Step{
		step.Named("store", p.findStore),
		step.Named("check", p.check),
		step.Named("keys", p.readKeys),
		step.Named("secret", p.checkPublished),
		step.Named("connect", p.connect),
		step.Named("look", p.look),
		step.Named("choose", p.choose),
		step.Named("finalizer", p.hold),
		step.Named("user", p.makeUser),
		step.Named("change", p.change),
		step.Named("placement", p.place),
		step.Named("caps", p.setCaps),
		step.Named("quota", p.setQuota),
		step.Named("add keys", p.addKeys),
		step.Named("publish", p.publish),
		step.Named("retire", p.retire),
	}
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	user *api.CephObjectStoreUser
	// before is the status as it was, and now what it has come to beside conditions.
	before, now api.CephObjectStoreUserStatus
	// said is what the status was told in this pass.
	said api.CephObjectStoreUserStatus
	// store is nil when there is none.
	store *api.CephObjectStore
	// secrets are those that the spec names and that exist, published the one with the
	// key that clients use; nil when there is none.
	secrets   map[string]*corev1.Secret
	published *corev1.Secret

	gateway *ops.Client
	// live is the user as the store has it; nil when there is none.
	live *admin.User
	// keys are those that the user shall have; the first is published.
	keys []accesskey.Pair
}
