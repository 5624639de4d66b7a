package setup_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
