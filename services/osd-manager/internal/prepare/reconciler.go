package prepare

import (
	"context"
	"errors"
	"fmt"
	"io"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/session"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name is the controller, the field manager and the event source.
const Name = "osd-manager.prepare"

// parallel is how many disks are worked on at once: a slow one delays nobody.
const parallel = 8

// +kubebuilder:rbac:groups=ceph.rook.io,namespace=cluster,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,namespace=cluster,resources=cephosds/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ceph.rook.io,resources=cephdisks,verbs=get;list;watch
// +kubebuilder:rbac:groups=batch,namespace=cluster,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=cluster,resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups="",namespace=cluster,resources=secrets,verbs=get;list;watch;create;patch

// Reconciler prepares the disks of CephOSDs.
type Reconciler struct {
	Client   client.Client
	Apply    apply.Applier
	Events   events.EventRecorder
	Sessions *session.Pool
	Clock    clock.PassiveClock
	// Random makes keys.
	Random io.Reader
	// Image is our own: it carries osd-prepare and cephlet.
	Image string
}

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&inventory.CephOSD{}).
		Owns(&batchv1.Job{}).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ofSecret), builder.WithPredicates(keyLost())).
		Watches(&inventory.CephDisk{}, handler.EnqueueRequestsFromMapFunc(r.ofDisk)).
		Watches(&api.CephCluster{}, handler.EnqueueRequestsFromMapFunc(r.ofCluster), builder.WithPredicates(clusterChanged())).
		WithOptions(queue.Workers(parallel)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// ofSecret returns the OSD whose key a Secret holds: the cluster owns it, so
// that the key outlives the CephOSD.
func ofSecret(_ context.Context, secret client.Object) []reconcile.Request {
	name, is := fleet.OfKeyring(secret.GetName())
	if !is {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: name}}}
}

// ofDisk returns the unprepared OSDs that wait for a disk.
func (r *Reconciler) ofDisk(ctx context.Context, disk client.Object) []reconcile.Request {
	return r.requests(ctx, func(osd *inventory.CephOSD) bool { return osd.Spec.Disk.Name == disk.GetName() })
}

// ofCluster returns the unprepared OSDs of a cluster.
func (r *Reconciler) ofCluster(ctx context.Context, cluster client.Object) []reconcile.Request {
	return r.requests(ctx, func(osd *inventory.CephOSD) bool {
		return osd.Namespace == cluster.GetNamespace() && osd.Spec.ClusterName == cluster.GetName()
	})
}

func (r *Reconciler) requests(ctx context.Context, concerned func(*inventory.CephOSD) bool) []reconcile.Request {
	var osds inventory.CephOSDList
	if err := r.Client.List(ctx, &osds); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list CephOSDs")
		return nil
	}
	var found []reconcile.Request
	for i := range osds.Items {
		if osd := &osds.Items[i]; !fleet.Prepared(osd) && concerned(osd) {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(osd)})
		}
	}
	return found
}

// Reconcile takes one CephOSD as far towards Prepared as it goes.
func (r *Reconciler) Reconcile(ctx context.Context, osd *inventory.CephOSD) (reconcile.Result, error) {
	cluster := &api.CephCluster{}
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: osd.Namespace, Name: osd.Spec.ClusterName}, cluster)
	if apierrors.IsNotFound(err) {
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read CephCluster %s: %w", osd.Spec.ClusterName, err)
	}
	if !cluster.DeletionTimestamp.IsZero() || !osd.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	p := &pass{Reconciler: r, cluster: cluster, osd: osd}
	if fleet.Prepared(osd) {
		report := step.Run(ctx,
			step.Named("observe", p.observe),
			step.Named("job", p.tidy),
			step.Named("keyring", p.restoreKey),
		)
		return report.Result(), report.Err
	}
	report := step.Run(ctx,
		step.Named("observe", p.observe),
		step.Named("connect", p.connect),
		step.Named("verify", p.verifyRegistered),
		step.Named("key", p.ensureKey),
		step.Named("register", p.register),
		step.Named("keyring", p.publishKeyring),
		step.Named("job", p.runJob),
	)
	return report.Result(), errors.Join(report.Err, p.writeStatus(ctx, report))
}

// pass is one look at one CephOSD.
type pass struct {
	*Reconciler
	cluster *api.CephCluster
	osd     *inventory.CephOSD
	seen    Observed
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	if outcome := condition.Await(p.cluster, api.ConditionMonitorsInQuorum); !outcome.IsDone() {
		return outcome, nil
	}
	client, outcome, err := p.Sessions.Client(ctx, p.cluster)
	p.seen.Ceph = client
	return outcome, err
}

// writeStatus publishes the condition Prepared, and an event when it turned.
func (p *pass) writeStatus(ctx context.Context, report step.Report) error {
	now := condition.From(fleet.ConditionPrepared, report, p.osd.Generation)
	if report.IsDone() {
		now.Reason, now.Message = fleet.ReasonPrepared, ""
	}
	changed := condition.Changed(p.osd.Status.Conditions, now)
	now.ObservedGeneration = 0 // what is prepared does not depend on the generation
	merged := condition.Merge(p.osd.Status.Conditions, p.Clock.Now(), now)
	if err := p.Apply.Status(ctx, p.osd, inventory.CephOSDStatus{Conditions: merged}); err != nil {
		return err
	}
	if !changed {
		return nil
	}
	switch {
	case report.IsDone():
		p.Events.Eventf(p.cluster, p.osd, corev1.EventTypeNormal, "DiskPrepared", "PrepareDisk", "Prepared %s of node %s as osd.%s", p.deviceName(), p.osd.Spec.Node, fleet.ID(p.osd))
	case now.Reason == fleet.ReasonRefused || now.Reason == fleet.ReasonFailed:
		p.Events.Eventf(p.cluster, p.osd, corev1.EventTypeWarning, now.Reason, "PrepareDisk", "%s of node %s: %s", p.deviceName(), p.osd.Spec.Node, now.Message)
	}
	return nil
}

func (p *pass) deviceName() string {
	if p.seen.Disk != nil {
		return p.seen.Disk.Status.Device
	}
	return p.osd.Spec.Disk.Name
}
