package filesystems_test

import (
	"context"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/filesystems"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// known is a cluster in namespace rook-ceph that two clusterIDs mean.
type known struct{}

func (known) Cluster(_ context.Context, clusterID string) (*api.CephCluster, error) {
	if clusterID != "rook-ceph" && clusterID != "5f3b" {
		return nil, clusters.ErrUnknown
	}
	return &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "c"}}, nil
}

func filesystem(namespace, name string) *api.CephFilesystem {
	return &api.CephFilesystem{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Finalizers: []string{"example.com/held"}}}
}

func TestLeaving_is_true_of_what_is_being_deleted(t *testing.T) {
	t.Parallel()
	goes := filesystem("rook-ceph", "goes")
	c := testenv.Fake(t, filesystem("rook-ceph", "stays"), goes, filesystem("elsewhere", "theirs")).Build()
	if err := c.Delete(t.Context(), goes); err != nil {
		t.Fatal(err)
	}
	f := filesystems.Finder{Clusters: known{}, Reader: c}
	for _, tc := range []struct {
		clusterID, name string
		want            bool
	}{
		{"rook-ceph", "stays", false}, {"rook-ceph", "goes", true}, {"5f3b", "goes", true}, {"rook-ceph", "theirs", false}, {"rook-ceph", "foreign", false},
	} {
		if got, err := f.Leaving(t.Context(), tc.clusterID, tc.name); err != nil || got != tc.want {
			t.Errorf("%s of %s: want %v, got %v, %v", tc.name, tc.clusterID, tc.want, got, err)
		}
	}
	if _, err := f.Leaving(t.Context(), "unknown", "goes"); !errors.Is(err, clusters.ErrUnknown) {
		t.Errorf("want ErrUnknown, got %v", err)
	}
}
