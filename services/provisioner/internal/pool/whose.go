package pool

import (
	"maps"
	"slices"
	"strings"
)

// stranger tells that the pool in Ceph is for somebody else and never was the
// object's: Ceph names other applications alone, and the status does not name the
// pool. Nothing of such a pool is changed, and it outlives the object.
func (p *pass) stranger() bool {
	if p.seen.Pool == nil || len(p.seen.Pool.ApplicationMetadata) == 0 {
		return false
	}
	_, tagged := p.seen.Pool.ApplicationMetadata[Application(p.pool)]
	return !tagged && (p.before.PoolID == nil || *p.before.PoolID != int64(p.seen.Pool.ID))
}

// otherApplications lists what the pool is for besides its own application.
func (p *pass) otherApplications() []string {
	others := slices.Sorted(maps.Keys(p.seen.Pool.ApplicationMetadata))
	return slices.DeleteFunc(others, func(name string) bool { return name == Application(p.pool) })
}

// others names who the pool is for besides its own application.
func (p *pass) others() string {
	return "application '" + strings.Join(p.otherApplications(), "', '") + "'"
}
