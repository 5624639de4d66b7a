package group

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

type object = api.CephFilesystemSubVolumeGroup

// made is a group in myfs that was made some seconds after others were.
func made(name, inCeph, clusterID string, seconds int64, edit ...func(*object)) object {
	g := object{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: name, CreationTimestamp: metav1.Unix(1000+seconds, 0)}}
	g.Spec = api.CephFilesystemSubVolumeGroupSpec{Name: inCeph, FilesystemName: "myfs", ClusterID: clusterID}
	for _, e := range edit {
		e(&g)
	}
	return g
}

func TestOthers(t *testing.T) {
	t.Parallel()
	leaving := func(g *object) { g.DeletionTimestamp = &metav1.Time{Time: time.Unix(2000, 0)} }
	otherFS := func(g *object) { g.Spec.FilesystemName = "yourfs" }
	elsewhere := func(g *object) { g.Namespace = "elsewhere" }
	for name, tc := range map[string]struct {
		group       object
		beside      []object
		rival, twin string
	}{
		"alone":                                   {group: made("a", "", "", 0), beside: []object{made("b", "", "", 0)}},
		"the_same_group_by_another_name":          {group: made("a", "csi", "", 0), beside: []object{made("csi", "", "", 5)}, twin: "csi"},
		"the_same_group_that_leaves":              {group: made("a", "csi", "", 0), beside: []object{made("csi", "", "", 5, leaving)}},
		"the_same_group_as_something_else":        {group: made("a", "csi", "x", 0), beside: []object{made("csi", "", "", 5)}},
		"a_group_of_that_name_in_another_fs":      {group: made("a", "csi", "x", 5), beside: []object{made("b", "csi", "x", 0, otherFS)}},
		"an_older_one_has_the_clusterID":          {group: made("a", "", "x", 5), beside: []object{made("b", "", "x", 0)}, rival: "rook-ceph/b"},
		"an_older_one_has_it_until_it_is_gone":    {group: made("a", "", "x", 5), beside: []object{made("b", "", "x", 0, leaving)}, rival: "rook-ceph/b"},
		"a_younger_one_wants_the_clusterID":       {group: made("a", "", "x", 0), beside: []object{made("b", "", "x", 5)}},
		"of_the_same_age_the_first_by_name_has":   {group: made("b", "", "x", 0), beside: []object{made("a", "", "x", 0)}, rival: "rook-ceph/a"},
		"an_older_one_of_another_namespace_has":   {group: made("a", "csi", "x", 5), beside: []object{made("a", "csi", "x", 0, elsewhere)}, rival: "elsewhere/a"},
		"a_younger_one_of_another_namespace_does": {group: made("a", "csi", "x", 0), beside: []object{made("a", "csi", "x", 5, elsewhere)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, all := range [][]object{append([]object{tc.group}, tc.beside...), append(tc.beside[:len(tc.beside):len(tc.beside)], tc.group)} {
				if rival, twin := others(&tc.group, all); rival != tc.rival || twin != tc.twin {
					t.Errorf("rival %q, twin %q; want %q, %q", rival, twin, tc.rival, tc.twin)
				}
			}
		})
	}
}
