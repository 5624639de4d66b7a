package v1

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// What a file system is made with when the spec does not say.
const (
	DefaultCacheLimitFactor   = 0.5
	DefaultCacheRequestFactor = 0.8

	// DefaultSubVolumeGroup is the group of subvolumes that every file system has
	// for volumes.
	DefaultSubVolumeGroup = "csi"
)

// MetadataPoolName is the name of the metadata pool in Ceph.
func (f *CephFilesystem) MetadataPoolName() string {
	if f.Spec.PreservePoolNames && f.Spec.MetadataPool != nil && f.Spec.MetadataPool.Name != "" {
		return f.Spec.MetadataPool.Name
	}
	return f.Name + "-metadata"
}

// DataPoolNames are the names of the data pools in Ceph, in the order of the
// spec.
func (f *CephFilesystem) DataPoolNames() []string {
	list := make([]string, len(f.Spec.DataPools))
	for i, pool := range f.Spec.DataPools {
		switch {
		case pool.Name == "":
			list[i] = f.Name + "-data" + strconv.Itoa(i)
		case f.Spec.PreservePoolNames:
			list[i] = pool.Name
		default:
			list[i] = f.Name + "-" + pool.Name
		}
	}
	return list
}

// Daemons is the number of MDS daemons to run.
func (s *MetadataServerSpec) Daemons() int {
	if s.ActiveStandby {
		return 2 * int(s.ActiveCount)
	}
	return int(s.ActiveCount)
}

// CacheBytes is how much memory the cache of a daemon may take, or 0 to leave
// that to Ceph.
func (s *MetadataServerSpec) CacheBytes() int64 {
	if s.Resources == nil {
		return 0
	}
	share := func(memory int64, factor *float64, otherwise float64) int64 {
		if factor != nil {
			otherwise = *factor
		}
		return int64(float64(memory) * otherwise)
	}
	if limit := s.Resources.Limits[corev1.ResourceMemory]; !limit.IsZero() {
		return share(limit.Value(), s.CacheMemoryLimitFactor, DefaultCacheLimitFactor)
	}
	request := s.Resources.Requests[corev1.ResourceMemory]
	return share(request.Value(), s.CacheMemoryRequestFactor, DefaultCacheRequestFactor)
}

// GroupName is the name of the group in Ceph.
func (g *CephFilesystemSubVolumeGroup) GroupName() string {
	if g.Spec.Name != "" {
		return g.Spec.Name
	}
	return g.Name
}
