//go:build envtest

package apply_test

import (
	"context"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func cluster(t *testing.T, c client.Client) *api.CephCluster {
	t.Helper()
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "test", Namespace: testenv.Namespace(t, c)},
		Spec: api.ClusterSpec{
			DataDirHostPath: "/var/lib/rook",
			CephVersion:     api.CephVersionSpec{Image: "ceph:test"},
		},
	}
	if err := c.Create(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	return cluster
}

// version returns the resource version as the API server has it.
func version(ctx context.Context, t *testing.T, c client.Client, obj client.Object) string {
	t.Helper()
	if err := c.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		t.Fatal(err)
	}
	return obj.GetResourceVersion()
}

// A daemon's Deployment has everything in it that the API server defaults or
// stores in another order. Applied twice it must be written once.
func TestSetIsQuietOnARealServer(t *testing.T) {
	ctx, c := t.Context(), testenv.Client(t)
	owner := cluster(t, c)
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	spec := daemon.Spec{Cluster: owner, Role: "mon", ID: "a", Service: "mon-manager", Keyring: "k",
		DataHostPath: "/var/lib/rook/mon-a/data", DataPath: "/var/lib/ceph/mon/ceph-a", CephletImage: "mon-manager:test"}
	deployment := func() *appsv1ac.DeploymentApplyConfiguration {
		container := spec.Container("mon", "ceph-mon", spec.Args("f")...).
			WithPorts(corev1ac.ContainerPort().WithName("msgr2").WithContainerPort(3300))
		spec.Probes(container, "mon_status", 60)
		return appsv1ac.Deployment("rook-ceph-mon-a", owner.Namespace).WithLabels(spec.Labels()).
			WithSpec(appsv1ac.DeploymentSpec().WithReplicas(1).
				WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)).
				WithSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{"mon": "a"})).
				WithTemplate(corev1ac.PodTemplateSpec().WithLabels(spec.Labels()).WithSpec(spec.Pod().WithContainers(container))))
	}
	service := func() *corev1ac.ServiceApplyConfiguration {
		return corev1ac.Service("rook-ceph-mon-a", owner.Namespace).WithSpec(corev1ac.ServiceSpec().
			WithPorts(corev1ac.ServicePort().WithName("tcp-msgr2").WithPort(3300).WithTargetPort(intstr.FromInt32(3300)),
				corev1ac.ServicePort().WithName("tcp-msgr1").WithPort(6789).WithTargetPort(intstr.FromInt32(6789))).
			WithSelector(map[string]string{"mon": "a"}))
	}
	live := []client.Object{
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph-mon-a", Namespace: owner.Namespace}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph-mon-a", Namespace: owner.Namespace}},
	}
	seen := map[int]string{}
	for range 2 {
		if err := a.Set(ctx, owner, deployment(), service()); err != nil {
			t.Fatal(err)
		}
		for i, obj := range live {
			now := version(ctx, t, c, obj)
			if before, again := seen[i]; again && before != now {
				t.Errorf("%T was written a second time", obj)
			}
			seen[i] = now
		}
	}
	if entries := live[0].GetManagedFields(); len(entries) != 1 || entries[0].Manager != a.Manager {
		t.Errorf("managed fields: got %d entries, want one of %s", len(entries), a.Manager)
	}
}

// Two services write their own condition and piece of one CephCluster.
func TestStatusKeepsWhatOthersOwn(t *testing.T) {
	ctx, c := t.Context(), testenv.Client(t)
	obj := cluster(t, c)
	now := time.Unix(1700000000, 0)
	write := func(manager, typ string, piece api.ClusterStatus) {
		t.Helper()
		version(ctx, t, c, obj)
		piece.Conditions = condition.Merge(obj.Status.Conditions, now,
			condition.New(typ, metav1.ConditionTrue, condition.ReasonAsExpected, "", 1))
		if err := (apply.Applier{Client: c, Manager: manager}).Status(ctx, obj, piece); err != nil {
			t.Fatal(err)
		}
	}
	both := func() {
		write("mon-manager.quorum", api.ConditionMonitorsInQuorum, api.ClusterStatus{
			Connection: &api.Connection{FSID: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", MonHost: "v2:10.0.0.1:3300"}})
		write("osd-manager.report", api.ConditionOSDsServing, api.ClusterStatus{
			Daemons: map[string]api.DaemonStatus{api.RoleOSD: {Version: "18.2.7"}}})
	}
	both()
	settled := version(ctx, t, c, obj)
	both()
	if got := version(ctx, t, c, obj); got != settled {
		t.Error("a settled status was written again")
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionOSDsServing} {
		if !condition.IsTrue(obj.Status.Conditions, typ) {
			t.Errorf("condition %s is gone", typ)
		}
	}
	if obj.Status.Connection == nil || obj.Status.Daemons[api.RoleOSD].Version != "18.2.7" {
		t.Errorf("a piece is gone: %+v", obj.Status)
	}
}
