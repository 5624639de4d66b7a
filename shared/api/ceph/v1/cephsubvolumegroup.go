package v1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephFilesystemSubVolumeGroup asks for one group of subvolumes in a file
// system, with a quota and a rule on which metadata servers its work is done.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephfilesystemsubvolumegroups,singular=cephfilesystemsubvolumegroup,scope=Namespaced,shortName=cephfssvg;cephsvg,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Filesystem",type=string,JSONPath=`.spec.filesystemName`,description="The file system that it is in"
// +kubebuilder:printcolumn:name="Quota",type=string,JSONPath=`.spec.quota`
// +kubebuilder:printcolumn:name="Pinning",type=string,JSONPath=`.status.info.pinning`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephFilesystemSubVolumeGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec CephFilesystemSubVolumeGroupSpec `json:"spec"`
	// +optional
	Status *CephFilesystemSubVolumeGroupStatus `json:"status,omitempty"`
}

// CephFilesystemSubVolumeGroupList is a list of CephFilesystemSubVolumeGroup.
//
// +kubebuilder:object:root=true
type CephFilesystemSubVolumeGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephFilesystemSubVolumeGroup `json:"items"`
}

// CephFilesystemSubVolumeGroupSpec says what a group of subvolumes is.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)",message="`name` must not change; create another CephFilesystemSubVolumeGroup",fieldPath=".name"
// +kubebuilder:validation:XValidation:rule="has(self.dataPoolName) == has(oldSelf.dataPoolName) && (!has(self.dataPoolName) || self.dataPoolName == oldSelf.dataPoolName)",message="`dataPoolName` must not change, because files stay where they are; create another CephFilesystemSubVolumeGroup",fieldPath=".dataPoolName"
// +kubebuilder:validation:XValidation:rule="has(self.clusterID) == has(oldSelf.clusterID)",message="`clusterID` must not be added or removed, because volumes refer to it; create another CephFilesystemSubVolumeGroup",fieldPath=".clusterID"
// +kubebuilder:validation:XValidation:rule="!has(self.quota) || quantity(string(self.quota)).isGreaterThan(quantity('0'))",message="`quota` must be a size above 0, such as 10Gi; leave it out for no quota",fieldPath=".quota"
type CephFilesystemSubVolumeGroupSpec struct {
	// name of the group in Ceph; the name of the object if left out.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`

	// filesystemName is the CephFilesystem that the group is in.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="`filesystemName` must not change; create another CephFilesystemSubVolumeGroup"
	FilesystemName string `json:"filesystemName"`

	// pinning says which metadata servers work for the group. Default:
	// distributed 1.
	// +optional
	Pinning SubVolumeGroupPinning `json:"pinning,omitzero"`

	// quota limits the bytes of all subvolumes together, such as 10Gi.
	// +optional
	Quota *resource.Quantity `json:"quota,omitempty"`

	// dataPoolName is the data pool, as Ceph names it, for files of the group;
	// the first of the file system if left out.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	DataPoolName string `json:"dataPoolName,omitempty"`

	// clusterID by which volume drivers know the group; one is made if left out.
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="`clusterID` must not change, because volumes refer to it; create another CephFilesystemSubVolumeGroup"
	// +optional
	ClusterID string `json:"clusterID,omitempty"`
}

// SubVolumeGroupPinning says which metadata servers work for a group.
//
// +kubebuilder:validation:XValidation:rule="(has(self.export) ? 1 : 0) + (has(self.distributed) ? 1 : 0) + (has(self.random) ? 1 : 0) <= 1",message="only one of `export`, `distributed` and `random` may be set; remove the others"
type SubVolumeGroupPinning struct {
	// export pins the group to the metadata server with this rank; -1 to none.
	// +kubebuilder:validation:Minimum=-1
	// +kubebuilder:validation:Maximum=256
	// +optional
	Export *int32 `json:"export,omitempty"`

	// distributed spreads the subvolumes over all ranks (1), or not (0).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	Distributed *int32 `json:"distributed,omitempty"`

	// random is how likely a directory is to be pinned to a random rank.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	Random *float64 `json:"random,omitempty"`
}

// CephFilesystemSubVolumeGroupStatus is what is true of a group.
type CephFilesystemSubVolumeGroupStatus struct {
	// phase is derived from the conditions, for dashboards and scripts.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// info holds clusterID and pinning.
	// +optional
	Info map[string]string `json:"info,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the group.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
}
