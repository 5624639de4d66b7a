package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephObjectRealm asks for one realm: the zone groups and zones that share users
// and buckets.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephobjectrealms,singular=cephobjectrealm,scope=Namespaced,shortName=cephor,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephObjectRealm struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +nullable
	// +optional
	Spec ObjectRealmSpec `json:"spec,omitzero"`
	// +optional
	Status *ObjectMultisiteStatus `json:"status,omitempty"`
}

// CephObjectRealmList is a list of CephObjectRealm.
//
// +kubebuilder:object:root=true
type CephObjectRealmList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephObjectRealm `json:"items"`
}

// ObjectRealmSpec says where a realm comes from.
//
// +kubebuilder:validation:XValidation:rule="(has(self.pull) && self.pull != null && has(self.pull.endpoint) && size(self.pull.endpoint) > 0) == (has(oldSelf.pull) && oldSelf.pull != null && has(oldSelf.pull.endpoint) && size(oldSelf.pull.endpoint) > 0)",message="`pull` must not be added or removed, because a realm is either made here or pulled; create another CephObjectRealm",fieldPath=".pull"
type ObjectRealmSpec struct {
	// pull takes the realm over from another cluster.
	// +nullable
	// +optional
	Pull *PullSpec `json:"pull,omitempty"`

	// defaultRealm makes it the realm that tools of Ceph use when none is named.
	// Ceph cannot undo that, only choose another one.
	// +optional
	DefaultRealm bool `json:"defaultRealm,omitempty"`
}

// PullSpec says where a realm is taken over from.
type PullSpec struct {
	// endpoint is the URL of a gateway of the realm's master zone.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^$|^https?://.+`
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
}

// CephObjectZoneGroup asks for one zone group of a realm: zones that hold copies
// of the same objects.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephobjectzonegroups,singular=cephobjectzonegroup,scope=Namespaced,shortName=cephozg,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Realm",type=string,JSONPath=`.spec.realm`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephObjectZoneGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ObjectZoneGroupSpec `json:"spec"`
	// +optional
	Status *ObjectMultisiteStatus `json:"status,omitempty"`
}

// CephObjectZoneGroupList is a list of CephObjectZoneGroup.
//
// +kubebuilder:object:root=true
type CephObjectZoneGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephObjectZoneGroup `json:"items"`
}

// ObjectZoneGroupSpec says where a zone group belongs.
//
// +kubebuilder:validation:XValidation:rule="self.realm == oldSelf.realm",message="`realm` must not change; create another CephObjectZoneGroup",fieldPath=".realm"
type ObjectZoneGroupSpec struct {
	// realm is the CephObjectRealm in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Realm string `json:"realm"`
}

// CephObjectZone asks for one zone of a zone group, with the pools that hold its
// copy of the objects.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephobjectzones,singular=cephobjectzone,scope=Namespaced,shortName=cephoz,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ZoneGroup",type=string,JSONPath=`.spec.zoneGroup`,priority=1
// +kubebuilder:printcolumn:name="Sync",type=string,JSONPath=`.status.sync.state`,description="How far it is behind the other zones",priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephObjectZone struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ObjectZoneSpec `json:"spec"`
	// +optional
	Status *ObjectMultisiteStatus `json:"status,omitempty"`
}

// CephObjectZoneList is a list of CephObjectZone.
//
// +kubebuilder:object:root=true
type CephObjectZoneList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephObjectZone `json:"items"`
}

// ObjectZoneSpec says where a zone belongs and what it is made of.
//
// +kubebuilder:validation:XValidation:rule="self.zoneGroup == oldSelf.zoneGroup",message="`zoneGroup` must not change; create another CephObjectZone",fieldPath=".zoneGroup"
// +kubebuilder:validation:XValidation:rule="(has(self.metadataPool) && self.metadataPool != null && ((has(self.metadataPool.replicated) && self.metadataPool.replicated.size > 0) || (has(self.metadataPool.erasureCoded) && self.metadataPool.erasureCoded.dataChunks > 0))) == (has(self.dataPool) && self.dataPool != null && ((has(self.dataPool.replicated) && self.dataPool.replicated.size > 0) || (has(self.dataPool.erasureCoded) && self.dataPool.erasureCoded.dataChunks > 0)))",message="`metadataPool` and `dataPool` must be set together; set both or neither",fieldPath=".dataPool"
// +kubebuilder:validation:XValidation:rule=`!(has(self.metadataPool) && self.metadataPool != null && ((has(self.metadataPool.replicated) && self.metadataPool.replicated.size > 0) || (has(self.metadataPool.erasureCoded) && self.metadataPool.erasureCoded.dataChunks > 0))) || (has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == ""`,message="`metadataPool` and `sharedPools.metadataPoolName` must not be set both; remove one of them",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`!(has(self.dataPool) && self.dataPool != null && ((has(self.dataPool.replicated) && self.dataPool.replicated.size > 0) || (has(self.dataPool.erasureCoded) && self.dataPool.erasureCoded.dataChunks > 0))) || (has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.dataPoolName) ? self.sharedPools.dataPoolName : "") == ""`,message="`dataPool` and `sharedPools.dataPoolName` must not be set both; remove one of them",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`((has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == "") == ((has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.dataPoolName) ? self.sharedPools.dataPoolName : "") == "")`,message="`sharedPools.metadataPoolName` and `sharedPools.dataPoolName` must be set together; set both or neither",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`(has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == (has(oldSelf.sharedPools) && oldSelf.sharedPools != null && has(oldSelf.sharedPools.metadataPoolName) ? oldSelf.sharedPools.metadataPoolName : "")`,message="`sharedPools.metadataPoolName` must not change, because the objects stay in the former pool; put it back",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`(has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.dataPoolName) ? self.sharedPools.dataPoolName : "") == (has(oldSelf.sharedPools) && oldSelf.sharedPools != null && has(oldSelf.sharedPools.dataPoolName) ? oldSelf.sharedPools.dataPoolName : "")`,message="`sharedPools.dataPoolName` must not change, because the objects stay in the former pool; put it back",fieldPath=".sharedPools"
type ObjectZoneSpec struct {
	// zoneGroup is the CephObjectZoneGroup in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ZoneGroup string `json:"zoneGroup"`

	// metadataPool says how the zone's small pools are made. They are always
	// replicated.
	// +kubebuilder:validation:XValidation:rule="!has(self.erasureCoded) || self.erasureCoded.dataChunks == 0",message="`metadataPool` must be replicated, because erasure coded pools hold no metadata; use `metadataPool.replicated.size`",fieldPath=".erasureCoded"
	// +nullable
	// +optional
	MetadataPool *PoolSpec `json:"metadataPool,omitempty"`

	// dataPool says how the pool of the objects is made.
	// +kubebuilder:validation:XValidation:rule="((has(self.replicated) && self.replicated.size > 0) == (has(oldSelf.replicated) && oldSelf.replicated.size > 0)) && ((has(self.erasureCoded) ? self.erasureCoded.dataChunks : 0) == (has(oldSelf.erasureCoded) ? oldSelf.erasureCoded.dataChunks : 0)) && ((has(self.erasureCoded) ? self.erasureCoded.codingChunks : 0) == (has(oldSelf.erasureCoded) ? oldSelf.erasureCoded.codingChunks : 0))",message="`dataPool` must not change between `replicated` and `erasureCoded`, nor the numbers of its chunks; create another store and copy the objects"
	// +nullable
	// +optional
	DataPool *PoolSpec `json:"dataPool,omitempty"`

	// sharedPools names existing pools that the zone uses, in RADOS namespaces of
	// its own, in place of pools of its own.
	// +nullable
	// +optional
	SharedPools *ObjectSharedPoolsSpec `json:"sharedPools,omitempty"`

	// customEndpoints are the URLs under which other clusters reach the zone, if
	// not under its stores' Services.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:items:Pattern=`^https?://.+`
	// +listType=atomic
	// +nullable
	// +optional
	CustomEndpoints []string `json:"customEndpoints,omitempty"`

	// preservePoolsOnDelete keeps the zone's pools when this object is deleted.
	// Default true.
	// +optional
	PreservePoolsOnDelete *bool `json:"preservePoolsOnDelete,omitempty"`
}
