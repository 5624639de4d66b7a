// Package report says of each CephCluster whether volumes can be made in it:
// condition ProvisioningReady. It also keeps ConfigMap rook-ceph-csi-config, from which
// other tools learn the monitors of each clusterID and the subvolume group that
// it means, and holds a cluster that is being deleted until its pools are gone. It
// never touches a pool or a volume.
package report
