// Package quorum brings the monitors of a cluster to their specified count and
// keeps them there, and publishes how to reach them.
//
// It reads CephCluster, Nodes, its own objects and the quorum; it writes the
// Deployments, Services, claims and the disruption budget of the monitors, the
// Secrets and ConfigMaps that say where they are, status.connection,
// status.monitors, status.version, status.daemons.mon and the condition
// MonitorsInQuorum.
//
// States of a membership change, persisted in status.monitors.change before its
// first effect: none -> Add or Replace (the new monitor is placed, started and
// awaited) -> Remove (the old one is stopped, then taken out of the map) ->
// none. One change is in flight at a time.
//
// It never removes or stops a monitor unless those left in quorum are a
// majority of the resulting map, never uses a name twice, changes nothing
// without quorum once a cluster is born, and never mints a second identity.
package quorum
