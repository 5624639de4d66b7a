package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephBlockPool asks for one pool of block volumes.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephblockpools,singular=cephblockpool,scope=Namespaced,shortName=cephbp,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.status.info.type`
// +kubebuilder:printcolumn:name="FailureDomain",type=string,JSONPath=`.status.info.failureDomain`
// +kubebuilder:printcolumn:name="Replication",type=integer,JSONPath=`.spec.replicated.size`,priority=1
// +kubebuilder:printcolumn:name="EC-CodingChunks",type=integer,JSONPath=`.spec.erasureCoded.codingChunks`,priority=1
// +kubebuilder:printcolumn:name="EC-DataChunks",type=integer,JSONPath=`.spec.erasureCoded.dataChunks`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephBlockPool struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NamedBlockPoolSpec `json:"spec"`
	// +optional
	Status *CephBlockPoolStatus `json:"status,omitempty"`
}

// CephBlockPoolList is a list of CephBlockPool.
//
// +kubebuilder:object:root=true
type CephBlockPoolList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephBlockPool `json:"items"`
}

// NamedBlockPoolSpec is a pool that may bear one of Ceph's own pool names.
//
// +kubebuilder:validation:XValidation:rule="(has(self.replicated) && self.replicated.size > 0) || (has(self.erasureCoded) && (self.erasureCoded.dataChunks > 0 || self.erasureCoded.codingChunks > 0))",message="exactly one of `replicated.size` and `erasureCoded` must be set; set `replicated.size: 3`, or `erasureCoded.dataChunks` and `erasureCoded.codingChunks`"
// +kubebuilder:validation:XValidation:rule="has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)",message="`name` must not change; create another CephBlockPool",fieldPath=".name"
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !has(self.erasureCoded) || self.erasureCoded.dataChunks == 0",message="a pool with a built-in `name` must be replicated; use `replicated.size`",fieldPath=".erasureCoded"
// +kubebuilder:validation:XValidation:rule="(has(self.replicated) && self.replicated.size > 0) == (has(oldSelf.replicated) && oldSelf.replicated.size > 0)",message="a pool must not change between `replicated` and `erasureCoded`; create another pool and copy the data"
// +kubebuilder:validation:XValidation:rule="!has(self.erasureCoded) || !has(oldSelf.erasureCoded) || (self.erasureCoded.dataChunks == oldSelf.erasureCoded.dataChunks && self.erasureCoded.codingChunks == oldSelf.erasureCoded.codingChunks)",message="`erasureCoded.dataChunks` and `erasureCoded.codingChunks` must not change; create another pool and copy the data",fieldPath=".erasureCoded"
type NamedBlockPoolSpec struct {
	// name of the pool in Ceph if it is one that Ceph itself uses. Otherwise the
	// pool has the name of the object.
	// +kubebuilder:validation:Enum=.rgw.root;.nfs;.mgr;.nvmeof
	// +optional
	Name string `json:"name,omitempty"`

	PoolSpec `json:",inline"`
}

// CephBlockPoolStatus is what is true of a pool.
type CephBlockPoolStatus struct {
	// phase is derived from the conditions, for dashboards and scripts.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// poolID is the pool's number in Ceph.
	// +optional
	PoolID *int64 `json:"poolID,omitempty"`

	// info holds type, failureDomain, rbdMirrorBootstrapPeerSecretName and the like.
	// +optional
	Info map[string]string `json:"info,omitempty"`

	// mirroringStatus is the state of the mirrored images.
	// +optional
	MirroringStatus *MirroringStatusSpec `json:"mirroringStatus,omitempty"`

	// mirroringInfo is the pool's mirroring mode and peers.
	// +optional
	MirroringInfo *MirroringInfoSpec `json:"mirroringInfo,omitempty"`

	// snapshotScheduleStatus is the schedules in force.
	// +optional
	SnapshotScheduleStatus *SnapshotScheduleStatusSpec `json:"snapshotScheduleStatus,omitempty"`

	// cephx is the generation of the peer token's key.
	// +optional
	Cephx *PeerTokenCephxStatus `json:"cephx,omitempty"`

	// unsupportedFields are the fields of the spec that nobody acts on yet.
	// +kubebuilder:validation:MaxItems=128
	// +listType=set
	// +optional
	UnsupportedFields []string `json:"unsupportedFields,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the pool.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
}

// PeerTokenCephxStatus is the generation of the peer token's key.
type PeerTokenCephxStatus struct {
	// peerToken is the key in the pool's peer token.
	// +optional
	PeerToken *CephxStatus `json:"peerToken,omitempty"`
}
