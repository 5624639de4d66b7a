package csi

import "strings"

// rbdSuffix follows the namespace in the name of the RBD driver.
const rbdSuffix = ".rbd.csi.ceph.com"

// RBDDriver returns the name of the RBD driver of an installation: its
// namespace and a fixed suffix. The name is part of every PersistentVolume.
func RBDDriver(namespace string) string { return namespace + rbdSuffix }

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
	ConfigKey                      = "csi-cluster-config-json"
	DefaultVolumeNamePrefix        = "csi-vol-"
	deprecatedParamFSType          = "fstype"
	deprecatedProvisionerName      = "csiProvisionerSecretName"
	deprecatedProvisionerNamespace = "csiProvisionerSecretNamespace"
	deprecatedNodeStageName        = "csiNodeStageSecretName"
	deprecatedNodeStageNamespace   = "csiNodeStageSecretNamespace"
)

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
