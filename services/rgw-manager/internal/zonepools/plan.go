package zonepools

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
)

// Application is what Ceph is told that the pools are for.
const Application = "rgw"

// Root is the pool that says which realms, zone groups and zones there are. All
// zones of a cluster share it.
const Root = ".rgw.root"

// fewPGs is how few placement groups a small pool may have: they hold little and
// see much traffic.
const fewPGs = "8"

// Parts of the names of a zone's pools.
const (
	DataPart  = ".rgw.buckets.data"
	IndexPart = ".rgw.buckets.index"
	NonECPart = ".rgw.buckets.non-ec"
)

// smallParts are the pools that are made as the metadata pool says.
func smallParts() []string {
	return []string{".rgw.control", ".rgw.meta", ".rgw.log", IndexPart, NonECPart, ".rgw.otp"}
}

// BucketParts are those that hold something of every bucket that holds something.
func BucketParts() []string { return []string{DataPart, IndexPart, NonECPart} }

// Parts are all.
func Parts() []string { return append(smallParts(), DataPart) }

// Wanted are the pools of a zone with pools of its own, the one of all zones first.
func Wanted(zone string, metadata, data *api.PoolSpec) []pools.Want {
	var list []pools.Want
	if metadata.Wanted() {
		small := *metadata.DeepCopy()
		if _, given := small.Parameters["pg_num_min"]; !given {
			small.Parameters = maps.Clone(small.Parameters)
			if small.Parameters == nil {
				small.Parameters = map[string]string{}
			}
			small.Parameters["pg_num_min"] = fewPGs
		}
		list = append(list, pools.Want{Name: Root, Spec: small, Application: Application})
		for _, part := range smallParts() {
			list = append(list, pools.Want{Name: zone + part, Spec: small, Application: Application})
		}
	}
	if data.Wanted() {
		list = append(list, pools.Want{Name: zone + DataPart, Spec: *data, Application: Application})
	}
	return list
}

// Shared are the names of the existing pools that a zone uses, sorted.
func Shared(spec *api.ObjectSharedPoolsSpec) []string {
	names := []string{spec.MetadataPoolName, spec.DataPoolName}
	for _, placement := range spec.PoolPlacements {
		names = append(names, placement.MetadataPoolName, placement.DataPoolName, placement.DataNonECPoolName)
		for _, class := range placement.StorageClasses {
			names = append(names, class.DataPoolName)
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// HasDefault tells whether buckets that choose no placement have one.
func HasDefault(spec *api.ObjectSharedPoolsSpec) bool {
	return spec.MetadataPoolName != "" && spec.DataPoolName != "" ||
		slices.ContainsFunc(spec.PoolPlacements, func(one api.PoolPlacementSpec) bool { return one.Default })
}

// ours tells whether Ceph says that the pool is for object stores and nothing else.
func ours(pool *ceph.Pool) bool {
	_, tagged := pool.ApplicationMetadata[Application]
	return tagged && len(pool.ApplicationMetadata) == 1
}

// foreign says whose pool it is if it is for something else than object stores.
func foreign(pool *ceph.Pool) string {
	if pool == nil || len(pool.ApplicationMetadata) == 0 || ours(pool) {
		return ""
	}
	return fmt.Sprintf("application '%s'", strings.Join(slices.Sorted(maps.Keys(pool.ApplicationMetadata)), "', '"))
}

// RootOnly is the pool of all zones, for those who make no other pool. It has as many
// copies as Ceph gives pools by itself.
func RootOnly() []pools.Want {
	return []pools.Want{{Name: Root, Application: Application}}
}
