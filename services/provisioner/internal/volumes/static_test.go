package volumes_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

func TestReleaseStatic(t *testing.T) {
	t.Parallel()
	const image, entry = "old", "csi.volume.rook.static.old"
	at := volumes.Static{ClusterID: "rook-ceph", Pool: pool, Image: image}
	cluster, c := start(t)
	if holder, err := c.StaticHolder(t.Context(), at, secrets()); err != nil || holder != "" {
		t.Errorf("nobody had it: %q, %v", holder, err)
	}
	if err := c.ReleaseStatic(t.Context(), at, "n1", volumes.Gone, secrets()); err != nil {
		t.Errorf("nobody had it: %v", err)
	}
	opened, err := cluster.Pool(t.Context(), pool, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.CreateImage(t.Context(), image, storage.Layout{Size: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	cluster.PutObject(pool, entry, map[string]string{"rook.holder": `{"node":"n1","address":"10.0.0.1:0/42"}`})
	cluster.Watch(pool, image, storage.Watcher{Address: "10.0.0.1:0/42"})

	if holder, err := c.StaticHolder(t.Context(), at, secrets()); err != nil || holder != "n1" {
		t.Errorf("want n1, got %q, %v", holder, err)
	}
	for _, step := range []struct {
		what     string
		node     string
		evidence volumes.Evidence
		code     codes.Code
		held     bool
	}{
		{"another node", "n2", volumes.Gone, codes.OK, true},
		{"without evidence", "n1", volumes.InUse, codes.FailedPrecondition, true},
		{"while its client is there", "n1", volumes.LetGo, codes.Unavailable, true},
		{"with proof", "n1", volumes.Gone, codes.OK, false},
	} {
		err := c.ReleaseStatic(t.Context(), at, step.node, step.evidence, secrets())
		if status.Code(err) != step.code {
			t.Errorf("%s: want %s, got %v", step.what, step.code, err)
		}
		if held := cluster.Objects(pool)[entry]["rook.holder"] != ""; held != step.held {
			t.Errorf("%s: held %t, want %t", step.what, held, step.held)
		}
	}
	if diff := cmp.Diff([]string{"10.0.0.1:0/42"}, cluster.Blocklisted()); diff != "" {
		t.Errorf("blocklist: want -, got +:\n%s", diff)
	}
}

func TestReleaseStatic_succeeds_for_a_cluster_that_is_not_ours(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	at := volumes.Static{ClusterID: "elsewhere", Pool: pool, Image: "old"}
	if err := c.ReleaseStatic(t.Context(), at, "n1", volumes.LetGo, secrets()); err != nil {
		t.Error(err)
	}
	if _, err := c.StaticHolder(t.Context(), at, secrets()); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("want FailedPrecondition, got %v", err)
	}
}

func TestReadStatic(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		attributes map[string]string
		want       volumes.Static
		ok         bool
	}{
		"names_the_image_by_the_handle": {map[string]string{"staticVolume": "true", "clusterID": "c", "pool": "p"},
			volumes.Static{ClusterID: "c", Pool: "p", Image: "handle"}, true},
		"names_the_image_by_its_attribute": {map[string]string{"staticVolume": "true", "clusterID": "c", "pool": "p", "imageName": "i"},
			volumes.Static{ClusterID: "c", Pool: "p", Image: "i"}, true},
		"needs_a_pool":              {map[string]string{"staticVolume": "true", "clusterID": "c"}, volumes.Static{ClusterID: "c", Image: "handle"}, false},
		"leaves_other_volumes_away": {map[string]string{"clusterID": "c", "pool": "p"}, volumes.Static{}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := volumes.ReadStatic("handle", tc.attributes)
			if got != tc.want || ok != tc.ok {
				t.Errorf("want %+v %t, got %+v %t", tc.want, tc.ok, got, ok)
			}
		})
	}
}
