package pool

import (
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/pools"
)

const (
	// mgrPool is a pool that Ceph itself uses.
	mgrPool = ".mgr"
	// rbdTag is the application of pools for images.
	rbdTag = "rbd"
)

// poolName returns the name of a pool in Ceph.
func poolName(pool *api.CephBlockPool) string { return pool.PoolName() }

// Application returns what Ceph is told that the pool is for.
func Application(pool *api.CephBlockPool) string {
	if pool.Spec.Application != "" {
		return pool.Spec.Application
	}
	switch pool.Spec.Name {
	case mgrPool:
		return "mgr"
	case ".rgw.root":
		return "rgw"
	case ".nfs":
		return "nfs"
	}
	return rbdTag
}

// want is what the object asks for.
func want(pool *api.CephBlockPool) pools.Want {
	return pools.Want{Name: poolName(pool), Spec: pool.Spec.PoolSpec, Application: Application(pool)}
}
