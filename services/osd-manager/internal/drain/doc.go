// Package drain keeps the disruption budgets of a cluster's OSDs, so that nodes
// can be drained one failure domain after the other and never two at once.
//
// States:
//
//   - idle: one budget lets one OSD be evicted, wherever it is.
//   - waiting: an OSD of a cordoned node was evicted, and Ceph does not let the
//     rest of its failure domain stop. The one budget stays, so the drain waits.
//   - draining: Ceph lets the whole domain stop. Every other domain has a budget
//     that lets none of its OSDs be evicted, the common budget is gone, and the
//     OSDs of the domain are not marked out. This ends when they are back and all
//     placement groups are clean, or after osdMaintenanceTimeout; the OSDs may be
//     marked out again after that time even while they are away.
//
// A failure domain is a host. What was begun is noted in the ConfigMap
// rook-ceph-pdbstatemap before it is done, so that a successor ends it; a flag
// noout that somebody else has set is left alone.
//
// It never evicts a pod, never cordons a node, and never sets a flag for longer
// than osdMaintenanceTimeout.
package drain
