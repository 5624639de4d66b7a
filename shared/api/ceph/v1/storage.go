package v1

import (
	corev1 "k8s.io/api/core/v1"
)

// StorageScopeSpec says which nodes and devices become OSDs.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nearFullRatio) || !has(self.backfillFullRatio) || self.nearFullRatio <= self.backfillFullRatio",message="`storage.nearFullRatio` must not exceed `storage.backfillFullRatio`; lower it",fieldPath=".nearFullRatio"
// +kubebuilder:validation:XValidation:rule="!has(self.backfillFullRatio) || !has(self.fullRatio) || self.backfillFullRatio <= self.fullRatio",message="`storage.backfillFullRatio` must not exceed `storage.fullRatio`; lower it",fieldPath=".backfillFullRatio"
// +kubebuilder:validation:XValidation:rule="!has(self.nearFullRatio) || !has(self.fullRatio) || self.nearFullRatio <= self.fullRatio",message="`storage.nearFullRatio` must not exceed `storage.fullRatio`; lower it",fieldPath=".nearFullRatio"
type StorageScopeSpec struct {
	// nodes to use when useAllNodes is false. A name is the value of the node's
	// label kubernetes.io/hostname.
	// +kubebuilder:validation:MaxItems=1024
	// +listType=map
	// +listMapKey=name
	// +optional
	Nodes []Node `json:"nodes,omitempty"`

	// useAllNodes uses every node that placement allows, and ignores nodes.
	// +optional
	UseAllNodes bool `json:"useAllNodes,omitempty"`

	// onlyApplyOSDPlacement ignores placement of `all` for OSDs.
	// +optional
	OnlyApplyOSDPlacement bool `json:"onlyApplyOSDPlacement,omitempty"`

	// config of all OSDs of the cluster.
	// +nullable
	// +optional
	Config OSDConfig `json:"config,omitempty"`

	Selection `json:",inline"`

	// storageClassDeviceSets are OSDs on volumes.
	// +kubebuilder:validation:MaxItems=128
	// +listType=map
	// +listMapKey=name
	// +optional
	StorageClassDeviceSets []StorageClassDeviceSet `json:"storageClassDeviceSets,omitempty"`

	// migration rebuilds OSDs whose settings changed.
	// +optional
	Migration Migration `json:"migration,omitzero"`

	// store is the kind of the OSDs' stores.
	// +optional
	Store OSDStore `json:"store,omitzero"`

	// flappingRestartIntervalHours is how long an OSD that keeps failing rests.
	// Default 24; 0 turns it off.
	// +kubebuilder:validation:Minimum=0
	// +optional
	FlappingRestartIntervalHours *int32 `json:"flappingRestartIntervalHours,omitempty"`

	// fullRatio is how full an OSD may be before writes stop.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	FullRatio *float64 `json:"fullRatio,omitempty"`

	// nearFullRatio is how full an OSD may be before health warns.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	NearFullRatio *float64 `json:"nearFullRatio,omitempty"`

	// backfillFullRatio is how full an OSD may be before it takes no backfill.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	BackfillFullRatio *float64 `json:"backfillFullRatio,omitempty"`

	// allowDeviceClassUpdate lets a changed device class reach existing OSDs.
	// +optional
	AllowDeviceClassUpdate bool `json:"allowDeviceClassUpdate,omitempty"`

	// allowOsdCrushWeightUpdate lets an OSD's weight follow its grown device.
	// +optional
	AllowOsdCrushWeightUpdate bool `json:"allowOsdCrushWeightUpdate,omitempty"`

	// scheduleAlways prepares a node's devices although the node is not ready.
	// +optional
	ScheduleAlways bool `json:"scheduleAlways,omitempty"`

	// osdMaxUpdatesInParallel is how many OSDs may be rolled at once. Default 20.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	OSDMaxUpdatesInParallel int32 `json:"osdMaxUpdatesInParallel,omitempty"`
}

// OSDConfig is settings of OSDs, by the keys of the OSDConfig constants.
//
// +kubebuilder:validation:MaxProperties=64
// +kubebuilder:validation:XValidation:rule="!('osdsPerDevice' in self) || size(self['osdsPerDevice']) == 0 || self['osdsPerDevice'] in ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15', '16']",message="`osdsPerDevice` must be a number from 1 to 16 in quotes; use \"1\""
// +kubebuilder:validation:XValidation:rule="!('encryptedDevice' in self) || size(self['encryptedDevice']) == 0 || self['encryptedDevice'] in ['true', 'false']",message="`encryptedDevice` must be \"true\" or \"false\""
// +kubebuilder:validation:XValidation:rule="['databaseSizeMB', 'walSizeMB'].all(k, !(k in self) || size(self[k]) == 0 || uint(self[k]) >= uint(0))",message="`databaseSizeMB` and `walSizeMB` must be whole numbers in quotes; use for example \"1024\""
// +kubebuilder:validation:XValidation:rule="['initialWeight', 'primaryAffinity'].all(k, !(k in self) || size(self[k]) == 0 || double(self[k]) >= 0.0)",message="`initialWeight` and `primaryAffinity` must be decimal numbers in quotes; use for example \"1.0\""
type OSDConfig map[string]string

// The keys of OSDConfig.
const (
	OSDConfigMetadataDevice  = "metadataDevice"
	OSDConfigDatabaseSizeMB  = "databaseSizeMB"
	OSDConfigWalSizeMB       = "walSizeMB"
	OSDConfigOSDsPerDevice   = "osdsPerDevice"
	OSDConfigEncryptedDevice = "encryptedDevice"
	OSDConfigDeviceClass     = "deviceClass"
	OSDConfigInitialWeight   = "initialWeight"
	OSDConfigPrimaryAffinity = "primaryAffinity"
	OSDConfigCrushRoot       = "crushRoot"
)

// Node is one node to use.
type Node struct {
	// name is the value of the node's label kubernetes.io/hostname.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// resources of this node's OSDs.
	// +nullable
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`

	// config of this node's OSDs; it comes before the cluster's.
	// +nullable
	// +optional
	Config OSDConfig `json:"config,omitempty"`

	Selection `json:",inline"`
}

// Selection says which devices of a node to use. The first of devices,
// deviceFilter, devicePathFilter and useAllDevices that is set decides.
type Selection struct {
	// useAllDevices uses every empty device.
	// +optional
	UseAllDevices *bool `json:"useAllDevices,omitempty"`

	// deviceFilter is a regular expression on kernel names such as ^sd[b-d]$.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="'sdb'.matches(self) ? true : true",message="`deviceFilter` must be a regular expression (RE2); correct it, for example ^sd[b-d]$"
	// +optional
	DeviceFilter string `json:"deviceFilter,omitempty"`

	// devicePathFilter is a regular expression on paths below /dev, such as
	// ^/dev/disk/by-path/pci-.*
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="'sdb'.matches(self) ? true : true",message="`devicePathFilter` must be a regular expression (RE2); correct it, for example ^/dev/disk/by-path/pci-.*"
	// +optional
	DevicePathFilter string `json:"devicePathFilter,omitempty"`

	// devices to use, by name or path.
	// +kubebuilder:validation:MaxItems=128
	// +listType=atomic
	// +optional
	Devices []Device `json:"devices,omitempty"`

	// volumeClaimTemplates are claims to use as devices.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	VolumeClaimTemplates []VolumeClaimTemplate `json:"volumeClaimTemplates,omitempty"`
}

// Device is one device to use.
//
// +kubebuilder:validation:XValidation:rule="(has(self.name) && size(self.name) > 0) || (has(self.fullpath) && size(self.fullpath) > 0)",message="a device must have `name` (such as sdb) or `fullpath` (such as /dev/disk/by-id/ata-XXXX); add one",fieldPath=".name"
// +kubebuilder:validation:XValidation:rule="!has(self.fullpath) || size(self.fullpath) == 0 || self.fullpath.startsWith('/dev/')",message="`fullpath` of a device must begin with /dev/; write the whole path",fieldPath=".fullpath"
type Device struct {
	// name of the device, such as sdb, or a path below /dev.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Name string `json:"name,omitempty"`

	// fullpath of the device; comes before name.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	FullPath string `json:"fullpath,omitempty"`

	// config of this device's OSDs; it comes before the node's.
	// +nullable
	// +optional
	Config OSDConfig `json:"config,omitempty"`
}

// StorageClassDeviceSet is a set of OSDs on volumes.
//
// +kubebuilder:validation:XValidation:rule="self.volumeClaimTemplates.all(t, !has(t.metadata) || !has(t.metadata.name) || size(t.metadata.name) == 0 || t.metadata.name in ['data', 'metadata', 'wal'])",message="a name in `volumeClaimTemplates` must be data, metadata or wal; rename it",fieldPath=".volumeClaimTemplates"
// +kubebuilder:validation:XValidation:rule="size(self.volumeClaimTemplates) == 1 || self.volumeClaimTemplates.exists_one(t, has(t.metadata) && has(t.metadata.name) && t.metadata.name == 'data')",message="several `volumeClaimTemplates` must include exactly one named data; name one so",fieldPath=".volumeClaimTemplates"
type StorageClassDeviceSet struct {
	// name of the set.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Name string `json:"name"`

	// count of devices in the set.
	// +kubebuilder:validation:Minimum=1
	Count int32 `json:"count"`

	// resources of the set's OSDs.
	// +nullable
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`

	// placement of the set's OSDs.
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +nullable
	// +optional
	Placement Placement `json:"placement,omitzero"`

	// preparePlacement of the set's prepare Jobs; placement if left out.
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +nullable
	// +optional
	PreparePlacement *Placement `json:"preparePlacement,omitempty"`

	// config of the set's OSDs.
	// +nullable
	// +optional
	Config OSDConfig `json:"config,omitempty"`

	// volumeClaimTemplates named data and, if wanted, metadata and wal.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +listType=atomic
	VolumeClaimTemplates []VolumeClaimTemplate `json:"volumeClaimTemplates"`

	// portable OSDs may move to another node with their volume.
	// +optional
	Portable bool `json:"portable,omitempty"`

	// tuneDeviceClass tunes the OSDs for a slow device.
	// +optional
	TuneSlowDeviceClass bool `json:"tuneDeviceClass,omitempty"`

	// tuneFastDeviceClass tunes the OSDs for a fast device.
	// +optional
	TuneFastDeviceClass bool `json:"tuneFastDeviceClass,omitempty"`

	// schedulerName of the set's pods.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SchedulerName string `json:"schedulerName,omitempty"`

	// encrypted OSDs.
	// +optional
	Encrypted bool `json:"encrypted,omitempty"`
}

// Migration rebuilds OSDs whose settings changed.
type Migration struct {
	// confirmation must read yes-really-migrate-osds.
	// +kubebuilder:validation:Pattern=`^$|^yes-really-migrate-osds$`
	// +optional
	Confirmation string `json:"confirmation,omitempty"`
}

// StoreType is the kind of an OSD's store.
type StoreType string

// The kinds of stores.
const (
	StoreTypeBlueStore    StoreType = "bluestore"
	StoreTypeBlueStoreRDR StoreType = "bluestore-rdr"
)

// OSDStore is the kind of the OSDs' stores.
type OSDStore struct {
	// type of new OSDs' stores.
	// +kubebuilder:validation:Pattern=`^$|^bluestore$|^bluestore-rdr$`
	// +optional
	Type StoreType `json:"type,omitempty"`

	// updateStore must read yes-really-update-store to rebuild existing OSDs
	// with the type.
	// +kubebuilder:validation:Pattern=`^$|^yes-really-update-store$`
	// +optional
	UpdateStore string `json:"updateStore,omitempty"`
}
