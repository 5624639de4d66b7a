package setup_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

func TestOSDsRunWhileAPoolBlocksTheDeletion(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	w.edit(func(c *api.CephCluster) {
		c.Finalizers = append(c.Finalizers, names.Finalizer("provisioner"), names.Finalizer("mon-manager"))
	})
	before := w.templates()
	w.check(w.kube.Delete(t.Context(), w.live()))
	for range 5 {
		w.check(w.pass())
	}
	if w.templates() != before || len(w.osds()) != 2 {
		t.Errorf("OSDs were removed: %d CephOSDs are left", len(w.osds()))
	}
	if c := w.condition(api.ConditionOSDsRemoved); c.Status != metav1.ConditionFalse || c.Message != "Waiting for provisioner to let the cluster go" {
		t.Errorf("OSDsRemoved: %+v", c)
	}
	w.edit(func(c *api.CephCluster) {
		c.Finalizers = []string{names.Finalizer("osd-manager"), names.Finalizer("mon-manager")}
	})
	for range 10 {
		w.check(w.pass())
	}
	if w.templates() == before || len(w.osds()) != 0 {
		t.Errorf("%d CephOSDs are left", len(w.osds()))
	}
}

func TestASecondClusterOfANamespaceTakesNoDiskAndGoesAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	second := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{
		Namespace: w.live().Namespace, Name: "zz-second", Finalizers: []string{names.Finalizer("osd-manager"), "test/keep"}}}
	second.Spec.Storage.UseAllNodes, second.Spec.Storage.UseAllDevices = true, ptr.To(true)
	w.check(w.kube.Create(t.Context(), second))
	w.edit(func(c *api.CephCluster) {
		c.Spec.Storage.UseAllDevices, c.Spec.Storage.UseAllNodes = ptr.To(false), false
	})
	w.check(w.kube.Create(t.Context(), blankDisk(2)))
	for range 5 {
		w.check(w.pass())
	}
	if len(w.osds()) != 1 {
		t.Errorf("%d CephOSDs, want none of the second cluster", len(w.osds()))
	}
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(second), second))
	if controllerutil.ContainsFinalizer(second, names.Finalizer("osd-manager")) {
		t.Errorf("the second cluster is held by %v", second.Finalizers)
	}
}
