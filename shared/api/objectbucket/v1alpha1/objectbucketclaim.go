package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Finalizer is on a claim, its ObjectBucket, its Secret and its ConfigMap while
// there is a bucket behind them.
const Finalizer = "objectbucket.io/finalizer"

// ObjectBucketClaim asks for one bucket, with its address in a ConfigMap and its
// keys in a Secret of the same name.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=objectbucketclaims,singular=objectbucketclaim,scope=Namespaced,shortName=obc;obcs
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Storage-Class",type=string,JSONPath=`.spec.storageClassName`,description="The class of the bucket"
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type ObjectBucketClaim struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ObjectBucketClaimSpec `json:"spec,omitzero"`
	// +optional
	Status ObjectBucketClaimStatus `json:"status,omitzero"`
}

// ObjectBucketClaimList is a list of ObjectBucketClaim.
//
// +kubebuilder:object:root=true
type ObjectBucketClaimList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ObjectBucketClaim `json:"items"`
}

// ObjectBucketClaimSpec says which bucket is asked for.
type ObjectBucketClaimSpec struct {
	// storageClassName is the class of the bucket, and so its provisioner.
	// +optional
	StorageClassName string `json:"storageClassName,omitempty"`

	// bucketName is the exact name of the bucket.
	// +optional
	BucketName string `json:"bucketName,omitempty"`

	// generateBucketName is how the name of the bucket begins; the rest is drawn.
	// +optional
	GenerateBucketName string `json:"generateBucketName,omitempty"`

	// additionalConfig are settings that the provisioner understands.
	// +optional
	AdditionalConfig map[string]string `json:"additionalConfig,omitempty"`

	// objectBucketName is the ObjectBucket, where a provisioner writes that here.
	// +optional
	ObjectBucketName string `json:"objectBucketName,omitempty"`
}

// ObjectBucketClaimPhase is where a claim is in its life.
type ObjectBucketClaimPhase string

// The phases of a claim.
const (
	ObjectBucketClaimPending  ObjectBucketClaimPhase = "Pending"
	ObjectBucketClaimBound    ObjectBucketClaimPhase = "Bound"
	ObjectBucketClaimReleased ObjectBucketClaimPhase = "Released"
	ObjectBucketClaimFailed   ObjectBucketClaimPhase = "Failed"
)

// ObjectBucketClaimStatus is what is true of a claim.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ObjectBucketClaimStatus struct {
	// phase of the claim.
	// +optional
	Phase ObjectBucketClaimPhase `json:"phase,omitempty"`

	// bucketName is the bucket.
	// +optional
	BucketName string `json:"bucketName,omitempty"`

	// objectBucketName is the ObjectBucket.
	// +optional
	ObjectBucketName string `json:"objectBucketName,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the claim.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []api.Condition `json:"conditions,omitempty"`
}
