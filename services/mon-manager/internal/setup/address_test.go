//go:build envtest

package setup

import (
	"context"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// eachOwned calls do for the identity, and the Services and Deployments of monitors.
func (w *world) eachOwned(do func(client.Object)) {
	w.t.Helper()
	for _, list := range []client.ObjectList{&appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.SecretList{}} {
		if err := w.client.List(w.ctx, list, client.InNamespace(w.namespace)); err != nil {
			w.t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil || len(items) == 0 {
			w.t.Fatalf("%T: %d items, %v", list, len(items), err)
		}
		for _, item := range items {
			if obj, ok := item.(client.Object); ok && strings.HasPrefix(obj.GetName(), "rook-ceph-mon") {
				do(obj)
			}
		}
	}
}

func TestAServiceThatIsLostReturnsWithItsAddress(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.create(nil)
	w.awaitReady()
	w.settle()
	lost := &corev1.Service{}
	key := client.ObjectKey{Namespace: w.namespace, Name: names.Mon("b")}
	if err := w.client.Get(w.ctx, key, lost); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(w.ctx, lost); err != nil {
		t.Fatal(err)
	}
	back := &corev1.Service{}
	err := wait.PollUntilContextTimeout(w.ctx, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		err := w.client.Get(w.ctx, key, back)
		return err == nil && back.UID != lost.UID, client.IgnoreNotFound(err)
	})
	if err != nil || back.Spec.ClusterIP != lost.Spec.ClusterIP {
		t.Fatalf("the address was %s and is %s, %v", lost.Spec.ClusterIP, back.Spec.ClusterIP, err)
	}
	w.settle()

	w.halt()
	squatter := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "squatter"}}
	squatter.Spec = corev1.ServiceSpec{ClusterIP: back.Spec.ClusterIP, Ports: []corev1.ServicePort{{Port: 80}}}
	if err := w.client.Delete(w.ctx, back); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Create(w.ctx, squatter); err != nil {
		t.Fatal(err)
	}
	w.serve()
	cluster := w.await("the word about the address", func(c *api.CephCluster) bool {
		found := condition.Find(c.Status.Conditions, api.ConditionMonitorsInQuorum)
		return found.Status != metav1.ConditionTrue && strings.Contains(found.Message, "give monitor b its address "+back.Spec.ClusterIP)
	})
	if got := len(cluster.Status.Connection.Endpoints); got != 3 {
		t.Errorf("%d monitors are published", got)
	}
	if err := w.client.Delete(w.ctx, squatter); err != nil {
		t.Fatal(err)
	}
	w.awaitReady()
}
