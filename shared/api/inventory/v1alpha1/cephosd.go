package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// CephOSD is one OSD of a CephCluster: who it is, where its data is, and how it
// fares. It lives in its CephCluster's namespace and outlives the pod, the node
// name of its disk and the disk's device name. Only osd-manager creates it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephosds,singular=cephosd,scope=Namespaced,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="ID",type=integer,JSONPath=`.spec.id`
// +kubebuilder:printcolumn:name="Node",type=string,JSONPath=`.spec.node`
// +kubebuilder:printcolumn:name="Disk",type=string,JSONPath=`.status.device`,description="Kernel name, as of now"
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.deviceClass`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Up",type=boolean,JSONPath=`.status.up`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="Size",type=string,JSONPath=`.status.size`
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.used`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`,priority=1
// +kubebuilder:printcolumn:name="CephDisk",type=string,JSONPath=`.spec.disk.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.node`
// +kubebuilder:selectablefield:JSONPath=`.spec.clusterName`
type CephOSD struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec CephOSDSpec `json:"spec,omitzero"`
	// +optional
	Status CephOSDStatus `json:"status,omitzero"`
}

// CephOSDList is a list of CephOSD.
//
// +kubebuilder:object:root=true
type CephOSDList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephOSD `json:"items"`
}

// CephOSDSpec is the identity and place of an OSD.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.id) || (has(self.id) && self.id == oldSelf.id)",message="`id` must not change once set; delete the CephOSD and let another one be made",fieldPath=".id"
// +kubebuilder:validation:XValidation:rule="self.uuid == oldSelf.uuid",message="`uuid` must not change, because it is the identity of the OSD's data; let another CephOSD be made",fieldPath=".uuid"
// +kubebuilder:validation:XValidation:rule="self.clusterName == oldSelf.clusterName",message="`clusterName` must not change; let another CephOSD be made",fieldPath=".clusterName"
type CephOSDSpec struct {
	// clusterName is the CephCluster in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	ClusterName string `json:"clusterName,omitempty"`

	// uuid of the OSD, which its disk bears too.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
	// +required
	UUID string `json:"uuid,omitempty"`

	// id is the number that Ceph gave; absent until it did.
	// +kubebuilder:validation:Minimum=0
	// +optional
	ID *int32 `json:"id,omitempty"`

	// disk that holds the data.
	// +required
	Disk DiskReference `json:"disk,omitzero"`

	// node that the disk is attached to.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Node string `json:"node,omitempty"`

	// deviceClass in CRUSH.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	DeviceClass string `json:"deviceClass,omitempty"`

	// crushLocation from the root downwards, without the OSD itself.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	// +optional
	CrushLocation []CrushBucket `json:"crushLocation,omitempty"`

	// initialWeight in CRUSH; by size if left out.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	InitialWeight string `json:"initialWeight,omitempty"`

	// primaryAffinity from 0 to 1.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	PrimaryAffinity string `json:"primaryAffinity,omitempty"`

	// store is the kind of the OSD's store.
	// +optional
	Store api.StoreType `json:"store,omitempty"`
}

// DiskReference names a CephDisk, and the disk itself for the case that the
// CephDisk is gone or the disk has moved.
type DiskReference struct {
	// name of the CephDisk.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`

	// stableID of the disk.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	StableID string `json:"stableID,omitempty"`
}

// CrushBucket is one step of a CRUSH location.
type CrushBucket struct {
	// type of the bucket, such as host.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Type string `json:"type"`

	// name of the bucket.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// OSDState is where an OSD is in its life.
type OSDState string

// The states of an OSD.
const (
	// OSDStatePreparing OSDs have a disk that is being prepared.
	OSDStatePreparing OSDState = "Preparing"
	// OSDStateStarting OSDs have a pod that is not up yet.
	OSDStateStarting OSDState = "Starting"
	// OSDStateRunning OSDs are up.
	OSDStateRunning OSDState = "Running"
	// OSDStateDown OSDs were up and are not.
	OSDStateDown OSDState = "Down"
	// OSDStateMissing OSDs have no disk.
	OSDStateMissing OSDState = "DiskMissing"
	// OSDStateRemoving OSDs are being taken out for good.
	OSDStateRemoving OSDState = "Removing"
	// OSDStateFailed OSDs need a person.
	OSDStateFailed OSDState = "Failed"
)

// CephOSDStatus is what is true of an OSD. Writer: osd-manager.
type CephOSDStatus struct {
	// state is derived from the conditions.
	// +optional
	State OSDState `json:"state,omitempty"`

	// message says what is done or waited for.
	// +optional
	Message string `json:"message,omitempty"`

	// device is the kernel's name of the disk, as of now.
	// +optional
	Device string `json:"device,omitempty"`

	// up as the OSD map says.
	// +optional
	Up *bool `json:"up,omitempty"`

	// in as the OSD map says.
	// +optional
	In *bool `json:"in,omitempty"`

	// version of Ceph that the OSD runs, as Maj.Min.Ext-Build.
	// +optional
	Version string `json:"version,omitempty"`

	// image that the OSD runs.
	// +optional
	Image string `json:"image,omitempty"`

	// size for people, such as 1.8TiB.
	// +optional
	Size string `json:"size,omitempty"`

	// sizeBytes is the exact size.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`

	// used share for people, such as 37%. It is rounded so that it seldom changes.
	// +optional
	Used string `json:"used,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the OSD.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []api.Condition `json:"conditions,omitempty"`
}
