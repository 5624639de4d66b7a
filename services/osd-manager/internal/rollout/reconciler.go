package rollout

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name is the controller, the field manager and the event source.
const Name = "osd-manager.rollout"

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,namespace=cluster,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=cluster,resources=leases,verbs=get;create;update

// Reconciler keeps the Deployments of one cluster's OSDs.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache, before an OSD is stopped.
	Live     client.Reader
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Token    disruption.Token
	Clock    clock.PassiveClock
	// Image is our own.
	Image string
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(clusterChanged())).
		Owns(&appsv1.Deployment{}).
		Watches(&inventory.CephOSD{}, handler.EnqueueRequestsFromMapFunc(fleet.ClusterOf), builder.WithPredicates(osdChanged())).
		WithOptions(queue.Workers(4)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// Reconcile writes the Deployments that may be written now.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	if !cluster.DeletionTimestamp.IsZero() || cluster.Status.Connection == nil || cluster.Status.Connection.FSID == "" {
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster}
	report := step.Run(ctx,
		step.Named("observe", p.observe),
		step.Named("write", p.writeNow),
		step.Named("finish", p.finish),
		step.Named("look", p.look),
		step.Named("update", p.update),
	)
	if report.Err == nil && !report.IsDone() {
		ctrl.LoggerFrom(ctx).V(1).Info("update waits", "reason", report.Reason, "message", report.Message)
	}
	return report.Result(), report.Err
}

// pass is one look at one cluster.
type pass struct {
	*Reconciler
	cluster  *api.CephCluster
	subjects map[int]subject
	plan     Plan
}

// observe reads what there is and decides.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	return p.observeWith(ctx, p.Client)
}

// observeWith takes the Deployments from reader and everything else from the
// cache.
func (p *pass) observeWith(ctx context.Context, reader client.Reader) (step.Outcome, error) {
	var osds inventory.CephOSDList
	var nodes corev1.NodeList
	var live appsv1.DeploymentList
	inNamespace := client.InNamespace(p.cluster.Namespace)
	err := errors.Join(
		p.Client.List(ctx, &osds, inNamespace),
		p.Client.List(ctx, &nodes),
		reader.List(ctx, &live, inNamespace, client.MatchingLabels{"app": pod.AppOSD}),
	)
	if err != nil {
		return step.None, fmt.Errorf("list objects of OSDs: %w", err)
	}
	p.subjects = map[int]subject{}
	for _, osd := range fleet.Of(p.cluster, osds.Items) {
		if !fleet.Prepared(&osd) {
			continue
		}
		p.subjects[int(*osd.Spec.ID)] = subject{
			cluster: p.cluster, osd: &osd, node: nodeOf(nodes.Items, osd.Spec.Node), live: deploymentOf(live.Items, fleet.ID(&osd)),
		}
	}
	return p.decide(ctx)
}

func (p *pass) decide(ctx context.Context) (step.Outcome, error) {
	daemons := make([]Daemon, 0, len(p.subjects))
	for id, s := range p.subjects {
		d := Daemon{ID: id, Domain: Domain(s.osd), Exists: s.live != nil}
		if s.live != nil {
			settled, err := p.Apply.Settled(ctx, p.cluster, p.desired(s))
			if err != nil {
				return step.None, err
			}
			d.Settled, d.Available, d.Paused, d.Since = settled, Available(s.live), names.Paused(s.live.Labels), since(s.live, p.Clock.Now())
		}
		daemons = append(daemons, d)
	}
	p.plan = Decide(daemons, patience(p.cluster), p.Clock.Now())
	return step.Done, nil
}
