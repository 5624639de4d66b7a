package scope

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestTheLabelThatPausesNeedsNoValue(t *testing.T) {
	for _, value := range []string{"", "true"} {
		cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{
			Namespace: "rook-ceph", Name: "my-cluster", Labels: map[string]string{names.LabelDoNotReconcile: value},
		}}
		if got, _, err := Of(t.Context(), testenv.Fake(t, cluster).Build(), cluster); err != nil || got != Paused {
			t.Errorf("with value %q it is %s, %v", value, got, err)
		}
	}
}
