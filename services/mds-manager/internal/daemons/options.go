package daemons

import (
	"maps"
	"strconv"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	optionJoin  = "mds_join_fs"
	optionCache = "mds_cache_memory_limit"
)

// Options are what Ceph stores for a metadata server: which file system is its
// own, and how large its cache may be; "" is what shall not be stored. An option
// that `cephConfig` has for this very daemon is left out: mon-manager keeps it.
func Options(cluster *api.CephCluster, fs *api.CephFilesystem, id string) map[string]string {
	options := map[string]string{optionJoin: fs.Name, optionCache: cache(cluster, &fs.Spec.MetadataServer)}
	maps.DeleteFunc(options, func(name, _ string) bool { return configured(cluster, Entity(id), name) })
	return options
}

// cache is the share of the memory that the cache may take. One that nobody wrote
// down gives way to what `cephConfig` says of all metadata servers.
func cache(cluster *api.CephCluster, server *api.MetadataServerSpec) string {
	written := server.CacheMemoryLimitFactor != nil || server.CacheMemoryRequestFactor != nil
	general := configured(cluster, "global", optionCache) || configured(cluster, "mds", optionCache)
	bytes := server.CacheBytes()
	if bytes == 0 || general && !written {
		return ""
	}
	return strconv.FormatInt(bytes, 10)
}

// configured tells whether `cephConfig` has an option for who.
func configured(cluster *api.CephCluster, who, option string) bool {
	for name := range cluster.Spec.CephConfig[who] {
		if ceph.OptionName(name) == option {
			return true
		}
	}
	return false
}
