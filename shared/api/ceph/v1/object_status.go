package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephObjectStoreStatus is what is true of an object store.
type CephObjectStoreStatus struct {
	// phase is derived from the conditions, for dashboards and scripts.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// message is derived from the conditions.
	// +optional
	Message string `json:"message,omitempty"`

	// endpoints of the store.
	// +optional
	Endpoints *ObjectEndpoints `json:"endpoints,omitempty"`

	// info holds endpoint and secureEndpoint, the ones to use.
	// +nullable
	// +optional
	Info map[string]string `json:"info,omitempty"`

	// replicas is the number of gateways.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// selector matches the pods of the gateways.
	// +optional
	Selector string `json:"selector,omitempty"`

	// cephx is the generation of the gateways' keys.
	// +optional
	Cephx *DaemonCephxStatus `json:"cephx,omitempty"`

	// setup is the part of the store that lives in Ceph's realm, as it was last
	// brought about.
	// +optional
	Setup *ObjectSetupStatus `json:"setup,omitempty"`

	// unsupportedFields are the fields of the spec that nobody acts on yet.
	// +kubebuilder:validation:MaxItems=128
	// +listType=set
	// +optional
	UnsupportedFields []string `json:"unsupportedFields,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the store.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
}

// The keys of CephObjectStoreStatus.Info.
const (
	ObjectInfoEndpoint       = "endpoint"
	ObjectInfoSecureEndpoint = "secureEndpoint"
)

// ObjectEndpoints are the URLs of a store.
type ObjectEndpoints struct {
	// insecure URLs, with http.
	// +kubebuilder:validation:MaxItems=128
	// +listType=atomic
	// +nullable
	// +optional
	Insecure []string `json:"insecure,omitempty"`

	// secure URLs, with https.
	// +kubebuilder:validation:MaxItems=128
	// +listType=atomic
	// +nullable
	// +optional
	Secure []string `json:"secure,omitempty"`
}

// ObjectSetupStatus is what a setup Job last brought about in Ceph.
type ObjectSetupStatus struct {
	// hash of what was wanted. While it is that of the present wish, no Job runs.
	// +optional
	Hash string `json:"hash,omitempty"`

	// realmID in Ceph.
	// +optional
	RealmID string `json:"realmID,omitempty"`

	// zoneGroupID in Ceph.
	// +optional
	ZoneGroupID string `json:"zoneGroupID,omitempty"`

	// zoneID in Ceph.
	// +optional
	ZoneID string `json:"zoneID,omitempty"`
}

// ObjectMultisiteStatus is what is true of a realm, a zone group or a zone.
type ObjectMultisiteStatus struct {
	// phase is derived from the conditions, for dashboards and scripts.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// message is derived from the conditions.
	// +optional
	Message string `json:"message,omitempty"`

	// setup is what was last brought about in Ceph.
	// +optional
	Setup *ObjectSetupStatus `json:"setup,omitempty"`

	// sync is how far a zone is behind the others. It is written when its state
	// changes only.
	// +optional
	Sync *ObjectSyncStatus `json:"sync,omitempty"`

	// unsupportedFields are the fields of the spec that nobody acts on yet.
	// +kubebuilder:validation:MaxItems=128
	// +listType=set
	// +optional
	UnsupportedFields []string `json:"unsupportedFields,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the object.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
}

// ObjectSyncState is how far a zone is behind another.
type ObjectSyncState string

// The states of synchronization.
const (
	// ObjectSyncCaughtUp zones have all that the others have.
	ObjectSyncCaughtUp ObjectSyncState = "CaughtUp"
	// ObjectSyncBehind zones are still copying.
	ObjectSyncBehind ObjectSyncState = "Behind"
	// ObjectSyncFailed zones cannot copy, or cannot be asked.
	ObjectSyncFailed ObjectSyncState = "Failed"
)

// ObjectSyncStatus is how far a zone is behind the others.
type ObjectSyncStatus struct {
	// state is the worst of the sources'.
	// +optional
	State ObjectSyncState `json:"state,omitempty"`

	// since is when it became so.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// sources that the zone copies from.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=zone
	// +optional
	Sources []ObjectSyncSource `json:"sources,omitempty"`
}

// The kinds of ObjectSyncSource.
const (
	ObjectSyncMetadata = "metadata"
	ObjectSyncData     = "data"
)

// ObjectSyncSource is one zone that is copied from.
type ObjectSyncSource struct {
	// kind is metadata or data.
	// +kubebuilder:validation:Enum=metadata;data
	Kind string `json:"kind"`

	// zone that is copied from.
	// +kubebuilder:validation:MaxLength=253
	Zone string `json:"zone"`

	// state of copying from it.
	State ObjectSyncState `json:"state"`

	// behindShards is how many shards of the log were not done when the state was
	// written.
	// +optional
	BehindShards int32 `json:"behindShards,omitempty"`

	// since is when the state became so.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// message says why copying failed.
	// +optional
	Message string `json:"message,omitempty"`
}
