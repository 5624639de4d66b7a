package report

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/queue"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Name of the controller.
const Name = api.WriterProvisioning

// service is the owner of the finalizer.
const service = "provisioner"

// Secrets reads the data of one Secret.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string]string, error)
}

// Reconciler reports on CephClusters.
type Reconciler struct {
	Client client.Client
	// Namespace is ours: the ConfigMap for other tools is there.
	Namespace string
	// Identities are the Secrets that the drivers need.
	Identities []csi.Identities
	Secrets    Secrets
	// Keep closes the connections to all clusters but those with these fsids.
	Keep func(fsids []string)
	// Forget drops what is known of the cluster of a namespace that is gone.
	Forget func(namespace string)
	Clock  clock.PassiveClock
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=patch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/finalizers,verbs=update
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephblockpools;cephfilesystemsubvolumegroups,verbs=get;list;watch
// +kubebuilder:rbac:namespace=own,groups="",resources=configmaps,resourceNames=rook-ceph-csi-config,verbs=get;list;watch;patch
// +kubebuilder:rbac:namespace=own,groups="",resources=configmaps,verbs=create
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,resourceNames=rook-csi-rbd-provisioner;rook-csi-rbd-node;rook-csi-cephfs-provisioner;rook-csi-cephfs-node,verbs=get

// Register adds the controller to a manager.
func (r *Reconciler) Register(mgr manager.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&api.CephCluster{}, builder.WithPredicates(predicate.Or[client.Object](relevant{}, apply.OwnStatus(Name)))).
		Watches(&api.CephBlockPool{}, handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephClusterList{})), builder.WithPredicates(readiness{})).
		Watches(&api.CephFilesystemSubVolumeGroup{}, handler.EnqueueRequestsFromMapFunc(queue.Beside(r.Client, &api.CephClusterList{})), builder.WithPredicates(identity{})).
		WithOptions(queue.Workers(1)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// Reconcile publishes whether volumes can be made in the cluster.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var cluster api.CephCluster
	err := r.Client.Get(ctx, request.NamespacedName, &cluster)
	if apierrors.IsNotFound(err) {
		r.Forget(request.Namespace)
		return ctrl.Result{}, r.publishClusters(ctx)
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("read CephCluster: %w", err)
	}
	p := &pass{Reconciler: r, cluster: &cluster, apply: apply.Applier{Client: r.Client, Manager: Name}}
	other, err := owner.Other(ctx, r.Client, &cluster)
	if err != nil {
		return ctrl.Result{}, err
	}
	if other != "" {
		return ctrl.Result{}, p.apply.RemoveFinalizer(ctx, &cluster, names.Finalizer(service))
	}
	steps := []step.Step{
		step.Named("finalizer", p.hold),
		step.Named("config", p.config),
		step.Named("options", p.mountOptions),
		step.Named("monitors", p.monitors),
		step.Named("manager", p.manager),
		step.Named("users", p.users),
		step.Named("pools", p.pools),
	}
	if !cluster.DeletionTimestamp.IsZero() {
		steps = []step.Step{step.Named("dependents", p.dependents), step.Named("release", p.release)}
	}
	report := step.Run(ctx, steps...)
	return report.Result(), errors.Join(report.Err, p.status(ctx, report))
}

func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.cluster.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil
	}
	ready := condition.From(api.ConditionProvisioningReady, report, p.cluster.Generation)
	return p.apply.Status(ctx, p.cluster, map[string]any{
		"conditions": condition.Merge(p.cluster.Status.Conditions, p.Clock.Now(), ready),
	})
}

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.apply.Finalizer(ctx, p.cluster, names.Finalizer(service))
}

func (p *pass) release(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.apply.RemoveFinalizer(ctx, p.cluster, names.Finalizer(service))
}
