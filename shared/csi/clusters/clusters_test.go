package clusters_test

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const hash = "5f3b6c1e9a7d4b2c8e0f1a2b3c4d5e6f"

// world is a cluster in rook-ceph, one elsewhere that is not served, and a
// subvolume group with a clusterID of its own in each.
func world(t *testing.T) clusters.Finder {
	t.Helper()
	var objects []client.Object
	for _, namespace := range []string{"rook-ceph", "elsewhere"} {
		cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "main", Namespace: namespace}}
		cluster.Status.Connection = &api.Connection{FSID: namespace, MonHost: "10.0.0.1"}
		group := &api.CephFilesystemSubVolumeGroup{
			ObjectMeta: metav1.ObjectMeta{Name: "team-red", Namespace: namespace},
			Spec:       api.CephFilesystemSubVolumeGroupSpec{Name: "red", FilesystemName: "myfs"},
			Status:     &api.CephFilesystemSubVolumeGroupStatus{Info: map[string]string{"clusterID": strings.Replace(hash, "5f3b", namespace[:4], 1)}},
		}
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: csi.CephFSNodeSecret, Namespace: namespace},
			Data:       map[string][]byte{csi.SecretUserID: []byte("node"), csi.SecretUserKey: []byte("key")},
		}
		objects = append(objects, cluster, group, secret)
	}
	c := testenv.Fake(t, objects...).Build()
	return clusters.Finder{Clusters: c, Secrets: c, Namespaces: []string{"rook-ceph"}, Identities: csi.CephFSIdentities()}
}

func TestFinder(t *testing.T) {
	t.Parallel()
	ours, theirs := strings.Replace(hash, "5f3b", "rook", 1), strings.Replace(hash, "5f3b", "else", 1)
	cases := map[string]struct {
		clusterID string
		group     string
		err       error
	}{
		"a_namespace_means_its_cluster_and_the_default_group": {"rook-ceph", "csi", nil},
		"the_clusterID_of_a_group_means_that_group":           {ours, "red", nil},
		"a_namespace_that_is_not_served_is_unknown":           {"elsewhere", "", clusters.ErrUnknown},
		"a_group_that_is_not_served_is_unknown":               {theirs, "", clusters.ErrUnknown},
		"nothing_is_unknown":                                  {"", "", clusters.ErrUnknown},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := world(t)
			group, err := f.SubvolumeGroup(t.Context(), tc.clusterID)
			connection, unreachable := f.Connection(t.Context(), tc.clusterID)
			key, unreadable := f.NodeKey(t.Context(), tc.clusterID)
			if group != tc.group || !errors.Is(err, tc.err) || !errors.Is(unreachable, tc.err) || !errors.Is(unreadable, tc.err) {
				t.Fatalf("group %q, %v, %v, %v", group, err, unreachable, unreadable)
			}
			if tc.err == nil && (connection.FSID != "rook-ceph" || key.Entity != "client.node") {
				t.Errorf("%+v as %s", connection, key.Entity)
			}
		})
	}
}
