package zonepools_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestAZoneInSharedPoolsHasNamespacesOfItsOwn(t *testing.T) {
	fast := api.PoolPlacementSpec{
		Name: "fast", MetadataPoolName: "meta-fast", DataPoolName: "data-fast",
		StorageClasses: []api.PlacementStorageClassSpec{{Name: "STANDARD_IA", DataPoolName: "data-cold"}},
	}
	placed := rgwadmin.Placement{
		Name: "fast", IndexPool: "meta-fast:a.fast.index", DataPool: "data-fast:a.fast.data", ExtraPool: "meta-fast:a.fast.data.non-ec",
		Classes: map[string]string{"STANDARD_IA": "data-cold:a.STANDARD_IA"},
	}
	byDefault := fast
	byDefault.Default, byDefault.DataNonECPoolName = true, "small"
	placedByDefault := placed
	placedByDefault.ExtraPool = "small:a.fast.data.non-ec"
	for name, test := range map[string]struct {
		spec *api.ObjectSharedPoolsSpec
		want rgwadmin.Zone
	}{
		"none": {nil, rgwadmin.Zone{Name: "a"}},
		"one_pair_and_a_choice": {
			&api.ObjectSharedPoolsSpec{MetadataPoolName: "meta", DataPoolName: "data", PoolPlacements: []api.PoolPlacementSpec{fast}},
			rgwadmin.Zone{Name: "a", MetadataPool: "meta", DefaultPlacement: "default-placement", Placements: []rgwadmin.Placement{placed, {
				Name: "default-placement", IndexPool: "meta:a.buckets.index", DataPool: "data:a.buckets.data", ExtraPool: "meta:a.buckets.non-ec",
			}}},
		},
		"a_default": {
			&api.ObjectSharedPoolsSpec{PoolPlacements: []api.PoolPlacementSpec{byDefault}},
			rgwadmin.Zone{Name: "a", MetadataPool: "meta-fast", DefaultPlacement: "fast", Placements: []rgwadmin.Placement{placedByDefault}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			zone := rgwadmin.Zone{Name: "a"}
			zonepools.Place(&zone, test.spec)
			if diff := cmp.Diff(test.want, zone); diff != "" {
				t.Errorf("zone (-want +got):\n%s", diff)
			}
		})
	}
}
