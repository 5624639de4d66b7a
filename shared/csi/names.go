package csi

import "strings"

// What follows the namespace in the names of the drivers.
const (
	rbdSuffix    = ".rbd.csi.ceph.com"
	cephFSSuffix = ".cephfs.csi.ceph.com"
)

// RBDDriver returns the name of the RBD driver of an installation: its
// namespace and a fixed suffix. The name is part of every PersistentVolume.
func RBDDriver(namespace string) string { return namespace + rbdSuffix }

// CephFSDriver returns the name of the CephFS driver of an installation.
func CephFSDriver(namespace string) string { return namespace + cephFSSuffix }

// RBDNamespace returns the namespace in an RBD driver name; ok is false for the
// name of another kind of driver.
func RBDNamespace(driver string) (namespace string, ok bool) {
	namespace, ok = strings.CutSuffix(driver, rbdSuffix)
	return namespace, ok && namespace != ""
}

// Parameters of an RBD StorageClass; the same keys are the volume attributes of
// the PersistentVolume.
const (
	ParamClusterID         = "clusterID"
	ParamPool              = "pool"
	ParamDataPool          = "dataPool"
	ParamJournalPool       = "journalPool"
	ParamImageFormat       = "imageFormat"
	ParamImageFeatures     = "imageFeatures"
	ParamMounter           = "mounter"
	ParamTryOtherMounters  = "tryOtherMounters"
	ParamMapOptions        = "mapOptions"
	ParamUnmapOptions      = "unmapOptions"
	ParamMkfsOptions       = "mkfsOptions"
	ParamStripeUnit        = "stripeUnit"
	ParamStripeCount       = "stripeCount"
	ParamObjectSize        = "objectSize"
	ParamVolumeNamePrefix  = "volumeNamePrefix"
	ParamEncrypted         = "encrypted"
	ParamEncryptionKMSID   = "encryptionKMSID"
	ParamEncryptionType    = "encryptionType"
	ParamTopologyPools     = "topologyConstrainedPools"
	ParamThickProvision    = "thickProvision"
	AttributeImageName     = "imageName"
	AttributeStaticVolume  = "staticVolume"
	AttributeProvisionerID = "storage.kubernetes.io/csiProvisionerIdentity"
)

// Parameters of a CephFS StorageClass, besides those that RBD has too, and volume
// attributes of its PersistentVolumes.
const (
	ParamFSName             = "fsName"
	ParamKernelMountOptions = "kernelMountOptions"
	ParamFUSEMountOptions   = "fuseMountOptions"
	ParamBackingSnapshot    = "backingSnapshot"
	ParamSnapshotNamePrefix = "snapshotNamePrefix"
	// ParamSubvolumeGroup names a subvolume group other than DefaultSubvolumeGroup.
	ParamSubvolumeGroup    = "subvolumeGroup"
	DefaultSubvolumeGroup  = "csi"
	AttributeSubvolumeName = "subvolumeName"
	// AttributeSubvolumePath is the directory to mount.
	AttributeSubvolumePath = "subvolumePath"
	// AttributeRootPath is that directory for a volume that was not provisioned.
	AttributeRootPath = "rootPath"
	// AttributeSnapshotRoot is the directory below AttributeSubvolumePath that a volume shows
	// which is a snapshot, and AttributeSnapshotID is the handle of the snapshot.
	AttributeSnapshotRoot = "backingSnapshotRoot"
	AttributeSnapshotID   = "backingSnapshotID"
	// MounterKernel and MounterFUSE are what ParamMounter can be for CephFS.
	MounterKernel = "kernel"
	MounterFUSE   = "fuse"
	// JournalNamespace is the RADOS namespace of the metadata pool that holds the journal.
	JournalNamespace = "csi"
)

// ParamPrefix starts the parameters that are meant for the provisioner and not
// for the driver.
const ParamPrefix = "csi.storage.k8s.io/"

// Parameters for the provisioner. Secret names and namespaces may hold the
// templates ${pv.name}, ${pvc.name}, ${pvc.namespace} and
// ${pvc.annotations['key']}.
const (
	ParamFSType                    = ParamPrefix + "fstype"
	ParamProvisionerSecretName     = ParamPrefix + "provisioner-secret-name"
	ParamProvisionerSecretSpace    = ParamPrefix + "provisioner-secret-namespace"
	ParamControllerPublishName     = ParamPrefix + "controller-publish-secret-name"
	ParamControllerPublishSpace    = ParamPrefix + "controller-publish-secret-namespace"
	ParamControllerExpandName      = ParamPrefix + "controller-expand-secret-name"
	ParamControllerExpandSpace     = ParamPrefix + "controller-expand-secret-namespace"
	ParamNodeStageName             = ParamPrefix + "node-stage-secret-name"
	ParamNodeStageSpace            = ParamPrefix + "node-stage-secret-namespace"
	ParamNodePublishName           = ParamPrefix + "node-publish-secret-name"
	ParamNodePublishSpace          = ParamPrefix + "node-publish-secret-namespace"
	ParamNodeExpandName            = ParamPrefix + "node-expand-secret-name"
	ParamNodeExpandSpace           = ParamPrefix + "node-expand-secret-namespace"
	ParamControllerModifyName      = ParamPrefix + "controller-modify-secret-name"
	ParamControllerModifySpace     = ParamPrefix + "controller-modify-secret-namespace"
	AnnotationDeletionSecretName   = "volume.kubernetes.io/provisioner-deletion-secret-name"
	AnnotationDeletionSecretSpace  = "volume.kubernetes.io/provisioner-deletion-secret-namespace"
	AttributePVCName               = ParamPrefix + "pvc/name"
	AttributePVCNamespace          = ParamPrefix + "pvc/namespace"
	AttributePVName                = ParamPrefix + "pv/name"
	DefaultFSType                  = "ext4"
	SecretUserID                   = "userID"
	SecretUserKey                  = "userKey"
	RBDProvisionerSecret           = "rook-csi-rbd-provisioner"
	RBDNodeSecret                  = "rook-csi-rbd-node"
	CephFSProvisionerSecret        = "rook-csi-cephfs-provisioner"
	CephFSNodeSecret               = "rook-csi-cephfs-node"
	ConfigKey                      = "csi-cluster-config-json"
	DefaultVolumeNamePrefix        = "csi-vol-"
	DefaultSnapshotNamePrefix      = "csi-snap-"
	deprecatedParamFSType          = "fstype"
	deprecatedProvisionerName      = "csiProvisionerSecretName"
	deprecatedProvisionerNamespace = "csiProvisionerSecretNamespace"
	deprecatedNodeStageName        = "csiNodeStageSecretName"
	deprecatedNodeStageNamespace   = "csiNodeStageSecretNamespace"
)

// Identities are the Secrets of a driver's cephx users in the namespace of a cluster.
type Identities struct {
	Provisioner string
	Node        string
}

// RBDIdentities are the Secrets of the RBD driver.
func RBDIdentities() Identities {
	return Identities{Provisioner: RBDProvisionerSecret, Node: RBDNodeSecret}
}

// CephFSIdentities are the Secrets of the CephFS driver.
func CephFSIdentities() Identities {
	return Identities{Provisioner: CephFSProvisionerSecret, Node: CephFSNodeSecret}
}

// Deprecated maps the spelling of the oldest StorageClasses to today's.
func Deprecated() map[string]string {
	return map[string]string{
		deprecatedParamFSType:          ParamFSType,
		deprecatedProvisionerName:      ParamProvisionerSecretName,
		deprecatedProvisionerNamespace: ParamProvisionerSecretSpace,
		deprecatedNodeStageName:        ParamNodeStageName,
		deprecatedNodeStageNamespace:   ParamNodeStageSpace,
	}
}
