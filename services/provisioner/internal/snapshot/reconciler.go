package snapshot

import (
	"context"
	"fmt"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name of the controller.
const Name = "provisioner.snapshot"

const (
	workers = 8
	// lookInterval is how often the definitions are looked for while they are missing.
	lookInterval = time.Minute
)

// Snapshots is the part of the CSI controller service that takes and deletes
// snapshots. FindSnapshot returns the handle of what CreateSnapshot left of a
// request, "" if that is nothing.
type Snapshots interface {
	CreateSnapshot(context.Context, *csipb.CreateSnapshotRequest) (*csipb.CreateSnapshotResponse, error)
	DeleteSnapshot(context.Context, *csipb.DeleteSnapshotRequest) (*csipb.DeleteSnapshotResponse, error)
	FindSnapshot(ctx context.Context, volume, name string, secrets map[string]string) (string, error)
}

// Secrets reads the data of one Secret.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string]string, error)
}

// Reconciler answers VolumeSnapshotContents.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache: classes, and a content before anything is done.
	Live client.Reader
	// Drivers that take snapshots, by name.
	Drivers map[string]Snapshots
	Secrets Secrets
	Clock   clock.PassiveClock
}

// +kubebuilder:rbac:groups=snapshot.storage.k8s.io,resources=volumesnapshotcontents,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=snapshot.storage.k8s.io,resources=volumesnapshotcontents/status,verbs=patch
// +kubebuilder:rbac:groups=snapshot.storage.k8s.io,resources=volumesnapshotclasses,verbs=get

// Register adds the controller to a manager as soon as the kinds are defined.
func (r *Reconciler) Register(mgr manager.Manager) error {
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		tick := time.NewTicker(lookInterval)
		defer tick.Stop()
		for {
			defined, err := Defined(mgr.GetRESTMapper())
			if err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "VolumeSnapshotContent not looked up")
			}
			if defined {
				return r.watch(mgr)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	}))
}

// Defined tells whether the API server knows VolumeSnapshotContents.
func Defined(mapper meta.RESTMapper) (bool, error) {
	kind := schema.GroupKind{Group: snapshotv1.GroupName, Kind: "VolumeSnapshotContent"}
	_, err := mapper.RESTMapping(kind, snapshotv1.SchemeGroupVersion.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", kind, err)
	}
	return true, nil
}

func (r *Reconciler) watch(mgr manager.Manager) error {
	ours := predicate.NewPredicateFuncs(func(object client.Object) bool {
		content, ok := object.(*snapshotv1.VolumeSnapshotContent)
		return ok && r.Drivers[content.Spec.Driver] != nil
	})
	err := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&snapshotv1.VolumeSnapshotContent{}, builder.WithPredicates(ours)).
		WithOptions(queue.Workers(workers)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", Name, err)
	}
	return nil
}

// Reconcile takes the snapshot of one content, or deletes it when the content
// is being deleted.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	content, err := r.pending(ctx, r.Client, request.NamespacedName)
	if content != nil {
		// A status is written whole: one from before our last write would take the
		// handle away.
		content, err = r.pending(ctx, r.Live, request.NamespacedName)
	}
	if content == nil || err != nil {
		return ctrl.Result{}, err
	}
	p := &pass{Reconciler: r, content: content, driver: r.Drivers[content.Spec.Driver], apply: apply.Applier{Client: r.Client, Manager: Name}}
	if content.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, p.take(ctx)
	}
	return ctrl.Result{}, p.remove(ctx)
}

// pending reads a content; nil if there is nothing for us to do about it.
func (r *Reconciler) pending(ctx context.Context, from client.Reader, key client.ObjectKey) (*snapshotv1.VolumeSnapshotContent, error) {
	content := &snapshotv1.VolumeSnapshotContent{}
	err := from.Get(ctx, key, content)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read VolumeSnapshotContent: %w", err)
	}
	if r.Drivers[content.Spec.Driver] == nil || settled(content) {
		return nil, nil
	}
	return content, nil
}
