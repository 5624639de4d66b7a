package drivers

import (
	"testing"

	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

const driver = "rook-ceph.rbd.csi.ceph.com"

func TestTheDriverLivesAsLongAsACluster(t *testing.T) {
	known := scheme.Scheme
	if err := api.AddToScheme(known); err != nil {
		t.Fatal(err)
	}
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph", Namespace: "rook-ceph"}}
	foreign := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "somebody.else"}}
	c := fake.NewClientBuilder().WithScheme(known).WithReturnManagedFields().WithObjects(foreign).Build()
	pass := func(name string, want int) {
		t.Helper()
		r := Reconciler{Client: c, Drivers: []string{name}}
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: name}}); err != nil {
			t.Fatal(err)
		}
		list := storagev1.CSIDriverList{}
		if err := c.List(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != want {
			t.Errorf("got %d drivers, want %d", len(list.Items), want)
		}
	}
	pass(driver, 1) // no cluster, no driver; the foreign one stays
	if err := c.Create(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	pass(driver, 2)
	if err := c.Delete(t.Context(), cluster, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	pass(driver, 1)
	pass(foreign.Name, 1) // what somebody else made is not deleted
}
