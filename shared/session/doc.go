// Package session keeps one connection to Ceph per CephCluster, as the cephx
// user that mon-manager minted for the service. All controllers of the service
// share it.
//
// It never connects as client.admin, never mints a key, and never keeps a
// connection that Ceph refused or that stopped answering.
package session
