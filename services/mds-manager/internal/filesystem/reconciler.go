package filesystem

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/watches"
)

const (
	// Name is the controller, the field manager and the event source.
	Name = api.WriterFilesystem
	// legacyFinalizer is what Rook left on a CephFilesystem that was taken over.
	legacyFinalizer = "cephfilesystem.ceph.rook.io"

	workers = 4
	// recheck is how often Ceph is asked whether a settled file system is one still.
	recheck = 30 * time.Second
	// review is how often everything is compared although no map has changed.
	review = 10 * time.Minute
)

// Finalizer keeps a CephFilesystem until its file system is gone.
func Finalizer() string { return names.Finalizer(daemons.Service) }

// Reconciler keeps file systems.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache, before something is stopped or removed.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Token    disruption.Token
	Clock    clock.PassiveClock
	// Image is our own, which brings the cephlet into pods.
	Image string

	// known holds, by UID, how a file system looked when it was settled.
	known sync.Map
	// tried holds, by UID, what was last done to the pools.
	tried    pools.Tried
	patience step.Patience
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystemsubvolumegroups,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups=coordination.k8s.io,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, watches.Deleting{}, apply.OwnStatus(Name))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephFilesystem{}, builder.WithPredicates(changed)).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Secret{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&api.CephCluster{}, handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephFilesystemList{})), builder.WithPredicates(watches.Cluster(api.RoleMDS))).
		WithOptions(queue.Workers(workers)).
		Complete(r)
}

// Reconcile makes the file system what its spec says, or removes it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var fs api.CephFilesystem
	err := r.Client.Get(ctx, request.NamespacedName, &fs)
	if apierrors.IsNotFound(err) {
		r.patience.Forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CephFilesystem: %w", err)
	}
	p := &pass{Reconciler: r, fs: &fs, before: api.CephFilesystemStatus{}}
	if fs.Status != nil {
		p.before = *fs.Status
	}
	steps := p.steps()
	if !fs.DeletionTimestamp.IsZero() {
		steps = p.endSteps()
	}
	report := step.Run(ctx, steps...)
	result := r.patience.Result(request.NamespacedName, report, r.Clock.Now())
	switch {
	case report.IsStalled():
		result.RequeueAfter = refusedRetry // what is in the way may go without an edit
	case report.IsDone() && fs.DeletionTimestamp.IsZero():
		result.RequeueAfter = recheck
	}
	return result, errors.Join(report.Err, p.status(ctx, report))
}

func (p *pass) steps() []step.Step {
	return []step.Step{
		step.Named("finalizer", p.hold),
		step.Named("cluster", p.findCluster),
		step.Named("connect", p.connect),
		step.Named("budget", p.applyBudget),
		step.Named("look", p.look),
		step.Named("observe", p.unlessSettled(p.observe)),
		step.Named("options", p.unlessSettled(p.applyOptions)),
		step.Named("keys", p.unlessSettled(p.applyKeys)),
		step.Named("daemons", p.unlessSettled(p.writeNow)),
		step.Named("pools", p.unlessSettled(p.beside("pools", p.applyPools))),
		step.Named("create", p.unlessSettled(p.create)),
		step.Named("data pools", p.unlessSettled(p.beside("data pools", p.addDataPools))),
		step.Named("settings", p.unlessSettled(p.applySettings)),
		step.Named("serve", p.unlessSettled(p.awaitService)),
		step.Named("group", p.unlessSettled(p.beside("group", p.defaultGroup))),
		step.Named("finish", p.unlessSettled(p.finish)),
		step.Named("ranks", p.unlessSettled(p.moveRanks)),
		step.Named("update", p.unlessSettled(p.disturb)),
		step.Named("ready", p.unlessSettled(p.awaitRanks)),
		step.Named("rest", p.unlessSettled(p.finishBeside)),
	}
}

// unlessSettled skips a step when nothing has changed since all steps were done.
func (p *pass) unlessSettled(do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.settled != nil {
			return step.Done, nil
		}
		return do(ctx)
	}
}

// beside does a step of which the metadata servers know nothing: once there is a
// file system, what it waits for holds up no update and no scaling. Of several
// such steps only the first that is not done is tried.
func (p *pass) beside(name string, do func(context.Context) (step.Outcome, error)) func(context.Context) (step.Outcome, error) {
	return func(ctx context.Context) (step.Outcome, error) {
		if p.besides != nil {
			return step.Done, nil
		}
		report := step.Run(ctx, step.Named(name, do))
		if report.IsDone() || p.found() == nil {
			return report.Outcome, report.Err
		}
		p.besides = &report
		return step.Done, nil
	}
}

// finishBeside comes back to what was not done beside the metadata servers.
func (p *pass) finishBeside(context.Context) (step.Outcome, error) {
	if p.besides == nil {
		return step.Done, nil
	}
	return p.besides.Outcome, p.besides.Err
}

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	fs      *api.CephFilesystem
	before  api.CephFilesystemStatus
	cluster *api.CephCluster
	client  ceph.Client
	// settled is what is known when nothing has changed; nil otherwise.
	settled *view
	mark    mark

	deployments map[string]*appsv1.Deployment
	secrets     map[string]*corev1.Secret
	maps        ceph.FSMap
	pools       pools.Map
	options     []ceph.ConfigOption
	plan        daemons.Plan
	drift       []string
	// besides is the first step beside the metadata servers that is not done.
	besides  *step.Report
	blockers []string
	// grouped is whether the default group was seen to be made and pinned.
	grouped bool
}
