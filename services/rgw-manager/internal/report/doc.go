// Package report says on each CephCluster whether its object stores are served,
// and what all gateways run. It holds the service's finalizer on the cluster until
// nothing of ours is left in its namespace. It never changes an object store.
package report
