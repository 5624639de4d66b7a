package apply_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestAnUpdateOfTheOwnStatusBringsTheControllerBack(t *testing.T) {
	ctx := t.Context()
	key := client.ObjectKey{Namespace: namespace, Name: "my-cluster"}
	c := testenv.Fake(t, &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: "1"}}).Build()
	seen := func() *api.CephCluster {
		t.Helper()
		cluster := &api.CephCluster{}
		if err := c.Get(ctx, key, cluster); err != nil {
			t.Fatal(err)
		}
		return cluster
	}
	say := func(manager, typ string, status metav1.ConditionStatus) func() error {
		piece := api.ClusterStatus{Conditions: []api.Condition{condition.New(typ, status, "Reason", "", 1)}}
		return func() error {
			return apply.Applier{Client: c, Manager: manager}.Status(ctx, seen(), piece)
		}
	}
	const ours, theirs = api.WriterSettings, api.WriterUsers
	for _, step := range []struct {
		name string
		do   func() error
		want bool
	}{
		{"the first status", say(ours, api.ConditionConfigApplied, metav1.ConditionTrue), true},
		{"the status of another controller", say(theirs, api.ConditionUsersReady, metav1.ConditionTrue), false},
		{"another value", say(ours, api.ConditionConfigApplied, metav1.ConditionFalse), true},
		{"the value of somebody else", say(theirs, api.ConditionConfigApplied, metav1.ConditionTrue), true},
		{"a label", func() error {
			cluster := seen()
			cluster.Labels = map[string]string{"a": "b"}
			return c.Update(ctx, cluster)
		}, false},
	} {
		before := seen()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		update := event.UpdateEvent{ObjectOld: before, ObjectNew: seen()}
		if got := apply.OwnStatus(ours).Update(update); got != step.want {
			t.Errorf("%s: brings the controller back: %t, want %t", step.name, got, step.want)
		}
	}
	if cluster := seen(); apply.OwnStatus(theirs).Update(event.UpdateEvent{ObjectOld: cluster, ObjectNew: cluster}) {
		t.Error("a resync brings the controller back")
	}
}
