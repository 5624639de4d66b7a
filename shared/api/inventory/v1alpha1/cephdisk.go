package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephDisk is one disk of one node: what it is, what is on it, and what became
// of it. Its name is the node's name and a hash of the disk's stable identity.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephdisks,singular=cephdisk,scope=Cluster,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:selectablefield:JSONPath=`.status.node`
// +kubebuilder:selectablefield:JSONPath=`.status.probe.state`
// +kubebuilder:printcolumn:name="Node",type=string,JSONPath=`.status.node`
// +kubebuilder:printcolumn:name="Device",type=string,JSONPath=`.status.device`,description="Kernel name"
// +kubebuilder:printcolumn:name="Size",type=string,JSONPath=`.status.size`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.status.type`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status['selection','probe'].state`,description="What became of the disk: a cluster's verdict if there is one, else what discover found"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status['selection','probe'].reason`,description="Why it has this state"
// +kubebuilder:printcolumn:name="OSD",type=string,JSONPath=`.status['selection','osd'].osdID`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status['selection','probe'].message`,priority=1
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.status.selection.cluster.name`,priority=1
// +kubebuilder:printcolumn:name="Model",type=string,JSONPath=`.status.model`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,priority=1
type CephDisk struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec CephDiskSpec `json:"spec,omitzero"`
	// +optional
	Status CephDiskStatus `json:"status,omitzero"`
}

// CephDiskList is a list of CephDisk.
//
// +kubebuilder:object:root=true
type CephDiskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephDisk `json:"items"`
}

// CephDiskSpec is what a person asks of a disk. No controller ever writes it.
type CephDiskSpec struct {
}
