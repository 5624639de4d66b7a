// Package mgr keeps the managers of a cluster: their keys, Deployments and
// Services, which of them is labelled active, their modules and the dashboard.
//
// It reads CephCluster, its own objects, the mgr map and the list of modules;
// it writes Secrets rook-ceph-mgr-<a>-keyring and rook-ceph-dashboard-password,
// Deployments, Services and the disruption budget of the managers, the label
// mgr_role of their pods, status.managers, status.daemons.mgr and the condition
// ManagerActive.
//
// It never restarts the active manager before a standby took over, if there is
// one, and a module that cannot run stops nothing else.
package mgr
