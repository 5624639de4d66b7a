package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// ObjectBucket is one bucket that a claim got.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=objectbuckets,singular=objectbucket,scope=Cluster,shortName=ob;obs
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Storage-Class",type=string,JSONPath=`.spec.storageClassName`,description="The class of the bucket"
// +kubebuilder:printcolumn:name="Claim-Namespace",type=string,JSONPath=`.spec.claimRef.namespace`
// +kubebuilder:printcolumn:name="Claim-Name",type=string,JSONPath=`.spec.claimRef.name`
// +kubebuilder:printcolumn:name="Reclaim-Policy",type=string,JSONPath=`.spec.reclaimPolicy`,description="What becomes of the bucket when the claim goes"
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ObjectBucket struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ObjectBucketSpec `json:"spec,omitzero"`
	// +optional
	Status ObjectBucketStatus `json:"status,omitzero"`
}

// Keys of additionalState that provisioners agree upon.
const (
	StateUser           = "cephUser"
	StateStore          = "objectStoreName"
	StateStoreNamespace = "objectStoreNamespace"
)

// Store is the CephObjectStore that the bucket is in, as far as that was written down.
func (b *ObjectBucket) Store() types.NamespacedName {
	state := b.Spec.AdditionalState
	return types.NamespacedName{Namespace: state[StateStoreNamespace], Name: state[StateStore]}
}

// ObjectBucketList is a list of ObjectBucket.
//
// +kubebuilder:object:root=true
type ObjectBucketList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ObjectBucket `json:"items"`
}

// ObjectBucketSpec says where a bucket is and whose it is.
type ObjectBucketSpec struct {
	// storageClassName is the class of the bucket.
	// +optional
	StorageClassName string `json:"storageClassName,omitempty"`

	// endpoint is where the bucket is.
	// +nullable
	// +optional
	Endpoint *Endpoint `json:"endpoint,omitempty"`

	// authentication never holds a key; the keys are in the claim's Secret.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +nullable
	// +optional
	Authentication map[string]string `json:"authentication,omitempty"`

	// additionalState is what the provisioner has to remember.
	// +nullable
	// +optional
	AdditionalState map[string]string `json:"additionalState,omitempty"`

	// reclaimPolicy is Delete or Retain: what becomes of the bucket when the claim
	// goes.
	// +nullable
	// +optional
	ReclaimPolicy *corev1.PersistentVolumeReclaimPolicy `json:"reclaimPolicy,omitempty"`

	// claimRef is the claim.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +nullable
	// +optional
	ClaimRef *corev1.ObjectReference `json:"claimRef,omitempty"`
}

// Endpoint is where a bucket is.
type Endpoint struct {
	// bucketHost is the host of the store.
	// +optional
	BucketHost string `json:"bucketHost,omitempty"`

	// bucketPort is the port of the store.
	// +optional
	BucketPort int32 `json:"bucketPort,omitempty"`

	// bucketName is the name of the bucket.
	// +optional
	BucketName string `json:"bucketName,omitempty"`

	// region of the bucket.
	// +optional
	Region string `json:"region,omitempty"`

	// subRegion of the bucket.
	// +optional
	SubRegion string `json:"subRegion,omitempty"`

	// additionalConfig is the settings of the claim.
	// +nullable
	// +optional
	AdditionalConfig map[string]string `json:"additionalConfig,omitempty"`
}

// ObjectBucketPhase is where a bucket is in its life.
type ObjectBucketPhase string

// The phases of a bucket.
const (
	ObjectBucketBound    ObjectBucketPhase = "Bound"
	ObjectBucketReleased ObjectBucketPhase = "Released"
	ObjectBucketFailed   ObjectBucketPhase = "Failed"
)

// ObjectBucketStatus is what is true of a bucket.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ObjectBucketStatus struct {
	// phase of the bucket.
	// +optional
	Phase ObjectBucketPhase `json:"phase,omitempty"`

	// conditions of the bucket.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []api.Condition `json:"conditions,omitempty"`
}
