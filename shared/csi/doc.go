// Package csi holds what the CSI controller (provisioner) and the CSI node
// service (node-agent) must agree on: driver names, StorageClass parameters,
// Secret keys and volume handles. All of them are those of ceph-csi, so volumes
// made by either are usable by both. It never talks to Ceph or Kubernetes.
package csi
