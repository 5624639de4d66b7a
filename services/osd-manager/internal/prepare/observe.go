package prepare

import (
	"bytes"
	"context"
	"fmt"
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Observed is what one pass found.
type Observed struct {
	Ceph ceph.Client
	// Disk may be nil when its CephDisk is gone.
	Disk *inventory.CephDisk
	// Node may be nil when it is gone.
	Node *corev1.Node
	// Secret holds the key; nil before it is made.
	Secret *corev1.Secret
	// Job is the present attempt, nil when there is none.
	Job *batchv1.Job
	// Receipt is what the attempt left behind, nil while there is nothing.
	Receipt *receipt.Receipt
	// Unreadable is why what it left behind cannot be read.
	Unreadable error
}

func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	key := func(name string) types.NamespacedName {
		return types.NamespacedName{Namespace: p.osd.Namespace, Name: name}
	}
	disk, err := get(ctx, p.Client, types.NamespacedName{Name: p.osd.Spec.Disk.Name}, &inventory.CephDisk{})
	if err != nil {
		return step.None, err
	}
	node, err := get(ctx, p.Client, types.NamespacedName{Name: p.osd.Spec.Node}, &corev1.Node{})
	if err != nil {
		return step.None, err
	}
	secret, err := get(ctx, p.Client, key(fleet.Keyring(p.osd)), &corev1.Secret{})
	if err != nil {
		return step.None, err
	}
	job, err := get(ctx, p.Client, key(fleet.JobName(p.osd)), &batchv1.Job{})
	if err != nil {
		return step.None, err
	}
	p.seen = Observed{Disk: disk, Node: node, Secret: secret, Job: job}
	if job == nil || !fleet.Ended(job) {
		return step.Done, nil
	}
	return step.Done, p.readReceipt(ctx)
}

// readReceipt finds the message that the Job's container left behind.
func (p *pass) readReceipt(ctx context.Context) error {
	var pods corev1.PodList
	err := p.Client.List(ctx, &pods, client.InNamespace(p.osd.Namespace), client.MatchingLabels{batchv1.JobNameLabel: p.seen.Job.Name})
	if err != nil {
		return fmt.Errorf("list pods of Job %s: %w", p.seen.Job.Name, err)
	}
	p.seen.Receipt, p.seen.Unreadable = readReceipt(pods.Items, p.osd)
	return nil
}

// readReceipt returns the receipt among the pods of a Job. A receipt that
// speaks of another OSD counts as unreadable.
func readReceipt(pods []corev1.Pod, osd *inventory.CephOSD) (*receipt.Receipt, error) {
	var problem error
	for i := range pods {
		for _, container := range pods[i].Status.ContainerStatuses {
			if container.Name != containerPrepare || container.State.Terminated == nil {
				continue
			}
			found, err := receipt.Parse(container.State.Terminated.Message)
			switch {
			case err != nil:
				problem = err
			case found.OSDUUID != osd.Spec.UUID || osd.Spec.ID == nil || found.OSDID != int(*osd.Spec.ID):
				problem = fmt.Errorf("receipt of osd.%d %s: %w", found.OSDID, found.OSDUUID, receipt.ErrMalformed)
			default:
				return &found, nil
			}
		}
	}
	return nil, problem
}

// get returns the object, or nil when there is none.
func get[T client.Object](ctx context.Context, reader client.Reader, key types.NamespacedName, into T) (T, error) {
	var none T
	err := reader.Get(ctx, key, into)
	if apierrors.IsNotFound(err) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("read %T %s: %w", into, key, err)
	}
	return into, nil
}

// keyLost passes what may have taken the key of an OSD away. Every OSD looks at
// its Secret when the service starts.
func keyLost() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, isBefore := e.ObjectOld.(*corev1.Secret)
			after, isAfter := e.ObjectNew.(*corev1.Secret)
			return !isBefore || !isAfter || !maps.EqualFunc(before.Data, after.Data, bytes.Equal)
		},
	}
}

// clusterChanged passes the changes that an OSD in preparation waits for.
func clusterChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*api.CephCluster)
		after, isAfter := e.ObjectNew.(*api.CephCluster)
		return !isBefore || !isAfter || before.Generation != after.Generation ||
			condition.Met(before, api.ConditionMonitorsInQuorum) != condition.Met(after, api.ConditionMonitorsInQuorum)
	}}
}
