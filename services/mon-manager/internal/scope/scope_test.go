package scope

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestOldest(t *testing.T) {
	made := func(name string, second int64) api.CephCluster {
		return api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(second, 0))}}
	}
	for name, test := range map[string]struct {
		clusters []api.CephCluster
		want     string
	}{
		"of_none":                        {nil, ""},
		"is_the_first_that_was_made":     {[]api.CephCluster{made("a", 2), made("b", 1)}, "b"},
		"is_the_first_by_name_of_equals": {[]api.CephCluster{made("b", 1), made("a", 1)}, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Oldest(test.clusters); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

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
