package setup

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// TestAClusterThatIsNotServedTakesNothingOver deletes a second CephCluster while
// something else holds it.
func TestAClusterThatIsNotServedTakesNothingOver(t *testing.T) {
	l := newLab(t)
	l.create()
	l.settle()
	for _, external := range []bool{false, true} {
		second := l.cluster()
		second.ObjectMeta = metav1.ObjectMeta{Namespace: l.namespace, Name: "z-second", UID: "c2", Finalizers: []string{"example.org/hold"}}
		second.Spec.External.Enable, second.Status = external, api.ClusterStatus{}
		l.must(l.base.Create(l.ctx, second))
		l.must(l.base.Delete(l.ctx, second))
		l.must(l.base.Get(l.ctx, client.ObjectKeyFromObject(second), second))
		before := l.writes
		if _, err := l.service.quorum.Reconcile(l.ctx, second); err != nil {
			t.Fatal(err)
		}
		if l.writes != before {
			t.Errorf("external %t: %d writes for a cluster that is none of ours: %v", external, l.writes-before, l.last)
		}
		l.each(func(obj client.Object) {
			for _, owner := range obj.GetOwnerReferences() {
				if owner.UID == "c2" {
					t.Errorf("%T %s was taken over", obj, obj.GetName())
				}
			}
		})
		second.Finalizers = nil
		l.must(l.base.Update(l.ctx, second))
	}
}

// TestABlockedDeletionKeepsItsMonitorsAlive loses a node while the deletion waits.
func TestABlockedDeletionKeepsItsMonitorsAlive(t *testing.T) {
	l := newLab(t)
	l.create()
	l.settle()
	pool := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: "pool-1"}}
	l.must(l.base.Create(l.ctx, pool))
	l.must(l.base.Delete(l.ctx, l.cluster()))
	l.settle()
	l.loseNode()
	l.settle()
	if got := l.ceph.MonNames(); !slices.Equal(got, []string{"a", "b", "d"}) {
		t.Errorf("monitors %v are in the map, want a, b, d", got)
	}
	if change := l.cluster().Status.Monitors.Change; change != nil {
		t.Errorf("%+v never ends", change)
	}
	var endpoints corev1.ConfigMap
	l.must(l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: names.MonEndpoints}, &endpoints))
	if !strings.Contains(endpoints.Data["data"], "d=") || strings.Contains(endpoints.Data["data"], "c=") {
		t.Errorf("clients are told %q", endpoints.Data["data"])
	}
	l.must(l.base.Delete(l.ctx, pool))
	l.settle()
	if err := l.base.Get(l.ctx, l.key(), &api.CephCluster{}); err == nil {
		t.Error("the CephCluster is still there")
	}
}

// TestAClusterThatIsMadeAgainIsTheSame deletes a CephCluster without confirmation
// and makes it anew.
func TestAClusterThatIsMadeAgainIsTheSame(t *testing.T) {
	l := newLab(t)
	l.create()
	l.settle()
	fsid := l.cluster().Status.Connection.FSID
	l.remove()
	l.over = false
	l.sync(l.ctx) // nobody runs without its Deployment
	l.guard.born = false
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: "my-cluster", UID: "c2", Generation: 1},
		Spec: api.ClusterSpec{
			DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v18.2.7"},
			Mon: api.MonSpec{Count: 3}, Mgr: api.MgrSpec{Count: 1},
		},
	}
	l.must(l.base.Create(l.ctx, cluster))
	l.settle()
	after := l.cluster()
	if after.Status.Connection == nil || after.Status.Connection.FSID != fsid || !condition.IsTrue(after.Status.Conditions, api.ConditionReady) {
		t.Fatalf("it is not the cluster %s: %+v", fsid, after.Status)
	}
	if got := l.ceph.MonNames(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("monitors %v are in the map", got)
	}
	for _, obj := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: names.MonSecret}}, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: names.MonEndpoints}},
	} {
		l.must(l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: obj.GetName()}, obj))
		if !metav1.IsControlledBy(obj, after) || !slices.Contains(obj.GetFinalizers(), names.DisasterProtection) {
			t.Errorf("%T is not taken over: %v, %v", obj, obj.GetOwnerReferences(), obj.GetFinalizers())
		}
	}
}

// TestAConfirmedCleanupTakesTheIdentityAlong is the other way to delete.
func TestAConfirmedCleanupTakesTheIdentityAlong(t *testing.T) {
	l := newLab(t)
	l.create()
	l.settle()
	cluster := l.cluster()
	cluster.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation
	l.must(l.base.Update(l.ctx, cluster))
	l.remove()
	err := l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: names.MonSecret}, &corev1.Secret{})
	if err == nil {
		t.Errorf("the Secret is still there: %v", err)
	}
}

// TestNoIdentityIsMintedBeforeTheDisksAreKnown asks for disks of all nodes.
func TestNoIdentityIsMintedBeforeTheDisksAreKnown(t *testing.T) {
	minted := func(l *lab) bool {
		return l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: names.MonSecret}, &corev1.Secret{}) == nil
	}
	begin := func(t *testing.T) *lab {
		l := newLab(t)
		l.createWith(func(spec *api.ClusterSpec) { spec.Storage.UseAllNodes = true })
		l.settle()
		found := condition.Find(l.cluster().Status.Conditions, api.ConditionMonitorsInQuorum)
		if minted(l) || found == nil || !strings.Contains(found.Message, "disks of nodes n1") {
			t.Fatalf("it did not wait for the disks: %+v", found)
		}
		return l
	}
	t.Run("it_goes_on_once_all_are_reported", func(t *testing.T) {
		l := begin(t)
		for _, node := range []string{"n1", "n2", "n3", "n4", "n5", "n6"} {
			disk := &inventory.CephDisk{ObjectMeta: metav1.ObjectMeta{Name: node + "-x"}, Status: inventory.CephDiskStatus{Node: node}}
			l.must(l.base.Create(l.ctx, disk))
			l.must(l.base.Status().Update(l.ctx, disk))
		}
		l.settle()
		if !minted(l) {
			t.Error("it waits for ever")
		}
	})
	t.Run("it_goes_on_after_a_minute", func(t *testing.T) {
		l := begin(t)
		l.clock.SetTime(l.clock.Now().Add(61 * time.Second))
		l.settle()
		if !minted(l) {
			t.Error("it waits for ever")
		}
	})
}

// TestAReplacementRunsWhatTheOthersRun loses a node while a typo holds the image.
func TestAReplacementRunsWhatTheOthersRun(t *testing.T) {
	l := newLab(t)
	l.create()
	l.settle()
	cluster := l.cluster()
	cluster.Spec.CephVersion.Image = "missing:v18.2.8"
	cluster.Generation++
	l.must(l.base.Update(l.ctx, cluster))
	l.settle()
	l.loseNode()
	l.settle()
	var fresh appsv1.Deployment
	l.must(l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: "rook-ceph-mon-d"}, &fresh))
	if got := fresh.Spec.Template.Spec.Containers[0].Image; got != "ceph:v18.2.7" {
		t.Errorf("the replacement runs %s", got)
	}
}
