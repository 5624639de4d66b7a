// Package watches decides which changes wake a controller. Its predicates
// compare what matters and nothing else; they never hide a change to work
// around a loop.
package watches

import (
	"context"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Asked passes a change of what a user asks for (spec, labels, annotations,
// deletion), and of the named piece of the status.
func Asked(piece func(client.Object) any) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		old, current := e.ObjectOld, e.ObjectNew
		return old.GetGeneration() != current.GetGeneration() ||
			old.GetDeletionTimestamp().IsZero() != current.GetDeletionTimestamp().IsZero() ||
			!maps.Equal(old.GetLabels(), current.GetLabels()) ||
			!maps.Equal(old.GetAnnotations(), current.GetAnnotations()) ||
			piece != nil && !equality.Semantic.DeepEqual(piece(old), piece(current))
	}}
}

// Meaningful passes changes of a Deployment that are more than a count of
// replicas on the way.
func Meaningful() predicate.Predicate {
	return Asked(func(obj client.Object) any {
		deployment, ok := obj.(*appsv1.Deployment)
		if !ok {
			return nil
		}
		return []int64{deployment.Status.ObservedGeneration, int64(deployment.Status.ReadyReplicas), int64(deployment.Status.UpdatedReplicas)}
	})
}

// PodState passes a change of a pod's phase, node, readiness, containers or
// scheduling.
func PodState() predicate.Predicate {
	return Asked(func(obj client.Object) any {
		pod, ok := obj.(*corev1.Pod)
		if !ok {
			return nil
		}
		state := []any{pod.Status.Phase, pod.Spec.NodeName, pod.Status.PodIP}
		for _, c := range pod.Status.Conditions {
			state = append(state, c.Type, c.Status, c.Reason)
		}
		for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
			for i := range list {
				state = append(state, list[i].Name, list[i].RestartCount, waiting(&list[i]), list[i].Ready)
			}
		}
		return state
	})
}

func waiting(status *corev1.ContainerStatus) string {
	if status.State.Waiting == nil {
		return ""
	}
	return status.State.Waiting.Reason
}

// NodeState passes a change of what placement looks at.
func NodeState() predicate.Predicate {
	return Asked(func(obj client.Object) any {
		node, ok := obj.(*corev1.Node)
		if !ok {
			return nil
		}
		state := []any{node.Spec.Unschedulable, node.Spec.Taints, node.Status.Addresses}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady {
				state = append(state, c.Status)
			}
		}
		return state
	})
}

// OfPod names the CephCluster of a daemon's pod.
func OfPod(_ context.Context, obj client.Object) []reconcile.Request {
	name := obj.GetLabels()[names.LabelPartOf]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: obj.GetNamespace(), Name: name}}}
}

// OfIdentity names the CephClusters of the namespace of Secret rook-ceph-mon or
// ConfigMap rook-ceph-mon-endpoints, whoever made it: people restore them.
func OfIdentity(reader client.Reader) func(context.Context, client.Object) []reconcile.Request {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		if obj.GetName() != names.MonSecret && obj.GetName() != names.MonEndpoints {
			return nil
		}
		return queue.Beside(reader, &api.CephClusterList{})(ctx, obj)
	}
}
