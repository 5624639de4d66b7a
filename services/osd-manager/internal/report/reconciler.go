package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name is the controller, the field manager and the event source.
const Name = api.WriterOSDs

const (
	// pollServing is how often to look at a cluster whose OSDs serve.
	pollServing = 5 * time.Second
	// pollStarting is how often to look at one whose OSDs do not.
	pollStarting = time.Second
	// unansweredGrace is for how long Ceph may be silent before what was known is
	// no longer believed: others wait for OSDsServing, and one lost reply tells
	// nothing about OSDs.
	unansweredGrace = time.Minute
	// releaseRetry is how soon a refused release is required again.
	releaseRetry = time.Minute
)

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,namespace=cluster,resources=deployments,verbs=get;list;watch

// Reconciler reports about the OSDs of one cluster.
type Reconciler struct {
	Client   client.Client
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Clock    clock.PassiveClock

	memory memory
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(clusterChanged())).
		Watches(&inventory.CephOSD{}, handler.EnqueueRequestsFromMapFunc(fleet.ClusterOf), builder.WithPredicates(osdChanged())).
		WithOptions(queue.Workers(4)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// Reconcile looks once and asks to be called again soon.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	if !cluster.DeletionTimestamp.IsZero() {
		r.memory.forget(client.ObjectKeyFromObject(cluster))
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster}
	report := step.Run(ctx,
		step.Named("observe", p.observe),
		step.Named("monitors", p.awaitMonitors),
		step.Named("ask", p.ask),
		step.Named("judge", p.judge),
	)
	if p.unanswered != nil {
		p.bridge(ctx)
		// It is polled as before: a growing delay would outlast the silence.
		return reconcile.Result{RequeueAfter: pollServing}, p.writeCluster(ctx, report)
	}
	err := errors.Join(report.Err, p.writeOSDs(ctx), p.writeCluster(ctx, report))
	result := report.Result()
	if p.asked {
		result.RequeueAfter = pollStarting
		if report.IsDone() {
			result.RequeueAfter = pollServing
		}
	}
	return result, err
}

// bridge keeps the former condition for a time in which Ceph does not answer.
func (p *pass) bridge(ctx context.Context) {
	now := p.Clock.Now()
	since := p.memory.silent(client.ObjectKeyFromObject(p.cluster), now)
	if now.Equal(since) {
		ctrl.LoggerFrom(ctx).Info("ceph does not answer", "error", p.unanswered.Error())
	}
	if now.Sub(since) < unansweredGrace {
		p.former = condition.Find(p.cluster.Status.Conditions, api.ConditionOSDsServing)
	}
}

// pass is one look at one cluster.
type pass struct {
	*Reconciler
	cluster *api.CephCluster
	seen    Observed
	known   maps
	// asked is true when Ceph has answered.
	asked bool
	// unanswered is why it has not, if it should have.
	unanswered error
	// former is the condition that still holds although Ceph did not answer.
	former *api.Condition
}

func (p *pass) awaitMonitors(context.Context) (step.Outcome, error) {
	return condition.Await(p.cluster, api.ConditionMonitorsInQuorum), nil
}

func (p *pass) judge(context.Context) (step.Outcome, error) { return Decide(p.seen), nil }

// release forbids older OSDs once all run a newer release. OSDs serve without
// it: a refusal is told by an event, and tried again later.
func (p *pass) release(ctx context.Context, conn ceph.Client) {
	key, now := client.ObjectKeyFromObject(p.cluster), p.Clock.Now()
	name := newRelease(p.known.osdmap, p.known.metadata)
	if name == "" || now.Sub(p.memory.refusedAt(key)) < releaseRetry {
		return
	}
	err := conn.RequireOSDRelease(ctx, name, ceph.Really)
	if err == nil {
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeNormal, "ReleaseRequired", "RequireRelease", "Required OSDs to run %s or newer, as all do", name)
		return
	}
	if p.memory.refuse(key, err.Error(), now) {
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeWarning, "ReleaseRefused", "RequireRelease",
			"Cannot require OSDs to run %s or newer, though all do: %v; it is tried again every minute", name, err)
	}
}

// writeOSDs publishes how each OSD fares. Without an answer from Ceph nothing
// is known, and what was known is left as it is.
func (p *pass) writeOSDs(ctx context.Context) error {
	if !p.asked {
		return nil
	}
	var problems problem.List
	for _, d := range p.seen.Daemons {
		problems.Add(p.Apply.Status(ctx, &d.OSD, osdStatus(d)))
	}
	return problems.Err()
}

// writeCluster publishes the verdict, with everything else that this controller
// owns of the cluster's status.
func (p *pass) writeCluster(ctx context.Context, report step.Report) error {
	old := p.cluster.Status
	serving := condition.From(api.ConditionOSDsServing, report, p.cluster.Generation)
	if p.former != nil {
		serving = *p.former
	}
	selected := disksSelected(p.seen.Problems, p.cluster.Generation)
	now := api.ClusterStatus{
		Conditions: condition.Merge(old.Conditions, p.Clock.Now(), serving, selected),
		OSDs:       old.OSDs, CephStorage: old.CephStorage,
	}
	if daemons, known := old.Daemons[api.RoleOSD]; known {
		now.Daemons = map[string]api.DaemonStatus{api.RoleOSD: daemons}
	}
	if p.asked {
		now.OSDs, now.CephStorage = counts(p.seen.Daemons), storage(p.seen.Daemons, p.known.classes)
		now.Daemons = nil
		if daemons := common(p.seen.Daemons); daemons != (api.DaemonStatus{}) {
			now.Daemons = map[string]api.DaemonStatus{api.RoleOSD: daemons}
		}
	}
	if err := p.Apply.Status(ctx, p.cluster, now); err != nil {
		return err
	}
	p.announce(old.Conditions, serving, selected)
	return nil
}

// announce publishes an event for each condition that turned, and for each new
// reason why disks cannot be selected as written.
func (p *pass) announce(old []api.Condition, serving, selected api.Condition) {
	text := fmt.Sprint(serving.Status, selected.Status, selected.Message)
	if !p.memory.news(client.ObjectKeyFromObject(p.cluster), text) {
		return
	}
	before := condition.Find(old, api.ConditionOSDsServing)
	switch {
	case serving.Status == "True" && (before == nil || before.Status != serving.Status):
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeNormal, "OSDsServing", "Report", "All OSDs are up and in")
	case !condition.Met(p.cluster, api.ConditionMonitorsInQuorum):
		// Its writer told why; we only wait.
	case before != nil && before.Status == "True" && serving.Status != before.Status:
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeWarning, serving.Reason, "Report", "%s", serving.Message)
	}
	if selected.Status != "True" && condition.Changed(old, selected) {
		p.Events.Eventf(p.cluster, nil, corev1.EventTypeWarning, selected.Reason, "SelectDisks", "%s", selected.Message)
	}
}

func imageOf(deployments []appsv1.Deployment, osd *inventory.CephOSD) string {
	for _, d := range deployments {
		if d.Name != names.OSD(fleet.ID(osd)) {
			continue
		}
		for _, c := range d.Spec.Template.Spec.Containers {
			if c.Name == "osd" {
				return c.Image
			}
		}
	}
	return ""
}

// clusterChanged passes the changes that a cluster's OSDs wait for; everything
// else is seen at the next poll.
func clusterChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*api.CephCluster)
		after, isAfter := e.ObjectNew.(*api.CephCluster)
		return !isBefore || !isAfter || before.Generation != after.Generation ||
			condition.Met(before, api.ConditionMonitorsInQuorum) != condition.Met(after, api.ConditionMonitorsInQuorum)
	}}
}

// osdChanged passes what others write about an OSD, not what we do.
func osdChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*inventory.CephOSD)
		after, isAfter := e.ObjectNew.(*inventory.CephOSD)
		if !isBefore || !isAfter || before.Generation != after.Generation {
			return true
		}
		now := condition.Find(after.Status.Conditions, fleet.ConditionPrepared)
		return now != nil && condition.Changed(before.Status.Conditions, *now)
	}}
}
