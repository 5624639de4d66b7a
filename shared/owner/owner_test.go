package owner_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestANamespaceBelongsToItsOldestCluster(t *testing.T) {
	cluster := func(namespace, name string, second int64) *api.CephCluster {
		return &api.CephCluster{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(time.Unix(second, 0))}}
	}
	kube := testenv.Fake(t, cluster("ns", "young", 3), cluster("ns", "b", 1), cluster("ns", "a", 1), cluster("other", "z", 0)).Build()
	for name, want := range map[string]string{"young": "a", "b": "a", "a": ""} {
		older, err := owner.Other(t.Context(), kube, cluster("ns", name, 9))
		if err != nil || older != want {
			t.Errorf("%s: got %q, %v; want %q", name, older, err, want)
		}
	}
	if none, err := owner.Of(t.Context(), kube, "empty"); none != nil || err != nil {
		t.Errorf("an empty namespace belongs to %v, %v", none, err)
	}
}
