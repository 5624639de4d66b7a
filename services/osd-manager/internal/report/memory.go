package report

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// memory is what is kept of each cluster between passes. Nothing depends on it:
// a new leader begins without.
type memory struct {
	mu       sync.Mutex
	clusters map[types.NamespacedName]*remembered
}

// remembered is the memory of one cluster.
type remembered struct {
	maps maps
	told string
	// silentSince is when Ceph ceased to answer; zero while it answers.
	silentSince time.Time
	// passingSince is since when there are placement groups in states that one
	// passes through; zero while there are none.
	passingSince time.Time
	// refused is why the required release was refused last, and when.
	refused   string
	refusedAt time.Time
}

// of returns the memory of a cluster, which is made if there is none. The
// caller holds the lock.
func (m *memory) of(key types.NamespacedName) *remembered {
	if m.clusters == nil {
		m.clusters = map[types.NamespacedName]*remembered{}
	}
	if m.clusters[key] == nil {
		m.clusters[key] = &remembered{}
	}
	return m.clusters[key]
}

// news tells whether text is other than what was told last about the cluster: a
// cache that lags behind our own status must not make an event twice.
func (m *memory) news(key types.NamespacedName, text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(key)
	fresh := r.told != text
	r.told = text
	return fresh
}

// recall returns the maps that were kept last.
func (m *memory) recall(key types.NamespacedName) maps {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(key).maps
}

// keep remembers the maps of a cluster that answered.
func (m *memory) keep(key types.NamespacedName, now maps) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(key)
	r.maps, r.silentSince = now, time.Time{}
}

// silent notes that the cluster did not answer, and returns since when.
func (m *memory) silent(key types.NamespacedName, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(key)
	if r.silentSince.IsZero() {
		r.silentSince = now
	}
	return r.silentSince
}

// passing notes whether there are placement groups in states that one passes
// through, and returns for how long.
func (m *memory) passing(key types.NamespacedName, present bool, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(key)
	switch {
	case !present:
		r.passingSince = time.Time{}
		return 0
	case r.passingSince.IsZero():
		r.passingSince = now
	}
	return now.Sub(r.passingSince)
}

// refuse notes that a release was refused, and tells whether that is news.
func (m *memory) refuse(key types.NamespacedName, why string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(key)
	fresh := r.refused != why
	r.refused, r.refusedAt = why, now
	return fresh
}

// refusedAt is when a release was refused last.
func (m *memory) refusedAt(key types.NamespacedName) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(key).refusedAt
}

// forget drops what is known of a cluster that goes.
func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clusters, key)
}
