package drain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
)

func TestBudgets(t *testing.T) {
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"}}
	daemons := []Daemon{{ID: 0, Domain: "n1"}, {ID: 1, Domain: "n1"}, {ID: 2, Domain: "n2"}, {ID: 3, Domain: "n3"}, {ID: 4, Domain: "n3"}}
	for name, state := range map[string]State{
		"idle": {}, "draining": {Domain: "n1", Since: time.Unix(100000, 0), NoOut: true}, "waiting": {Waiting: "n1 cannot drain yet"},
	} {
		t.Run(name, func(t *testing.T) {
			objs := []any{note(cluster, state)}
			for _, one := range budgets(cluster, daemons, state) {
				objs = append(objs, one)
			}
			golden.Objects(t, name, objs...)
		})
	}
}

func TestWhatWasNotedIsReadBack(t *testing.T) {
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"}}
	for _, want := range []State{
		{}, {Waiting: "w"}, {Domain: "n1", Since: time.Unix(100000, 0).UTC(), NoOut: true}, {Domain: "n1", Since: time.Unix(100000, 0).UTC()},
	} {
		if diff := cmp.Diff(want, read(&corev1.ConfigMap{Data: note(cluster, want).Data})); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(State{}, read(nil)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(State{}, read(&corev1.ConfigMap{Data: map[string]string{keyNoOut: "true"}})); diff != "" {
		t.Errorf("a flag of no domain: %s", diff)
	}
	broken := read(&corev1.ConfigMap{Data: map[string]string{keyDomain: "n1", keySince: "yesterday", keyNoOut: "true"}})
	if next := Decide(Observed{State: broken, Facts: Facts{Known: true}}, time.Minute, time.Unix(100000, 0)); next != (State{}) {
		t.Errorf("what has no age lasts: %+v", next)
	}
}
