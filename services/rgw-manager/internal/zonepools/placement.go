package zonepools

import (
	"cmp"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// defaultPlacement is the one of buckets that choose none, in Ceph's words.
const defaultPlacement = "default-placement"

// Place says where a zone that uses existing pools keeps what: in namespaces that
// carry its name. It changes nothing for a zone with pools of its own.
func Place(zone *rgwadmin.Zone, shared *api.ObjectSharedPoolsSpec) {
	if !shared.Wanted() {
		return
	}
	zone.MetadataPool, zone.DefaultPlacement = shared.MetadataPoolName, defaultPlacement
	marked := false
	for _, one := range shared.PoolPlacements {
		zone.Placements = append(zone.Placements, placement(zone.Name, one))
		if one.Default {
			marked = true
			zone.MetadataPool, zone.DefaultPlacement = one.MetadataPoolName, one.Name
		}
	}
	if !marked && shared.MetadataPoolName != "" && shared.DataPoolName != "" {
		in := func(pool, part string) string { return pool + ":" + zone.Name + part }
		zone.Placements = append(zone.Placements, rgwadmin.Placement{
			Name: defaultPlacement, IndexPool: in(shared.MetadataPoolName, ".buckets.index"),
			DataPool: in(shared.DataPoolName, ".buckets.data"), ExtraPool: in(shared.MetadataPoolName, ".buckets.non-ec"),
		})
	}
}

// placement names the namespaces as they have always been named, so that stores of an
// earlier installation find their objects.
func placement(zone string, spec api.PoolPlacementSpec) rgwadmin.Placement {
	in := func(pool, part string) string { return pool + ":" + zone + "." + spec.Name + part }
	made := rgwadmin.Placement{
		Name: spec.Name, IndexPool: in(spec.MetadataPoolName, ".index"), DataPool: in(spec.DataPoolName, ".data"),
		ExtraPool: in(cmp.Or(spec.DataNonECPoolName, spec.MetadataPoolName), ".data.non-ec"),
	}
	for _, class := range spec.StorageClasses {
		if made.Classes == nil {
			made.Classes = map[string]string{}
		}
		made.Classes[class.Name] = class.DataPoolName + ":" + zone + "." + class.Name
	}
	return made
}
