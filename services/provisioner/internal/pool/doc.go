// Package pool keeps the Ceph pools that CephBlockPool objects ask for:
// replicated or erasure coded, with their CRUSH rule, parameters, quotas and
// application. What differs and can be set is set; what would move data or cannot be changed is
// reported as drift.
//
// It reads CephCluster and CephBlockPool, and of Ceph the OSD map, shared by all
// pools. It writes the status and finalizer of CephBlockPool, pools, rules and profiles. A
// pool is deleted only when no image, trashed image or snapshot is in it, and one
// of Ceph's own pools never.
package pool
