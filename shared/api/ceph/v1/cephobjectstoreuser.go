package v1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// CephObjectStoreUser asks for one user of an object store, with keys in a Secret.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephobjectstoreusers,singular=cephobjectstoreuser,scope=Namespaced,shortName=rcou;objectuser;cephosu,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.store`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephObjectStoreUser struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ObjectStoreUserSpec `json:"spec"`
	// +optional
	Status *CephObjectStoreUserStatus `json:"status,omitempty"`
}

// CephObjectStoreUserList is a list of CephObjectStoreUser.
//
// +kubebuilder:object:root=true
type CephObjectStoreUserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephObjectStoreUser `json:"items"`
}

// ObjectStoreUserSpec says what a user may do and how much it may keep.
//
// +kubebuilder:validation:XValidation:rule="self.store == oldSelf.store",message="`store` must not change; create another CephObjectStoreUser",fieldPath=".store"
// +kubebuilder:validation:XValidation:rule=`(has(self.clusterNamespace) ? self.clusterNamespace : "") == (has(oldSelf.clusterNamespace) ? oldSelf.clusterNamespace : "")`,message="`clusterNamespace` must not change; create another CephObjectStoreUser",fieldPath=".clusterNamespace"
type ObjectStoreUserSpec struct {
	// store is the CephObjectStore.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Store string `json:"store"`

	// displayName for people. Default the name of the object.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// clusterNamespace is the namespace of the store if it is another one. The store
	// must allow that with allowUsersInNamespaces.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ClusterNamespace string `json:"clusterNamespace,omitempty"`

	// capabilities are rights on the store's administration.
	// +nullable
	// +optional
	Capabilities *ObjectUserCapSpec `json:"capabilities,omitempty"`

	// quotas limit what the user keeps.
	// +nullable
	// +optional
	Quotas *ObjectUserQuotaSpec `json:"quotas,omitempty"`

	// keys of the user from Secrets. Without any, one is made.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Keys []ObjectUserKey `json:"keys,omitempty"`

	// opMask is which kinds of operations the user may do at all: read, write,
	// delete. Default all; none if empty.
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:items:Enum=read;write;delete
	// +listType=set
	// +optional
	OpMask *[]ObjectUserOp `json:"opMask,omitempty"`

	// accountRef is the account that the user belongs to.
	// +nullable
	// +optional
	AccountRef *ObjectStoreAccountRef `json:"accountRef,omitempty"`

	// defaultPlacement of the user's buckets.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	DefaultPlacement string `json:"defaultPlacement,omitempty"`

	// defaultStorageClass of the user's objects.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	DefaultStorageClass string `json:"defaultStorageClass,omitempty"`

	// secretTemplate adds to the Secret with the user's keys.
	// +nullable
	// +optional
	SecretTemplate *ObjectUserSecretTemplate `json:"secretTemplate,omitempty"`
}

// ObjectUserSecretTemplate adds to the Secret with a user's keys.
type ObjectUserSecretTemplate struct {
	// labels of the Secret.
	// +nullable
	// +optional
	Labels Labels `json:"labels,omitempty"`

	// annotations of the Secret.
	// +nullable
	// +optional
	Annotations Annotations `json:"annotations,omitempty"`
}

// ObjectStoreAccountRef names an account.
type ObjectStoreAccountRef struct {
	// name of the CephObjectStoreAccount.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// ObjectUserOp is a kind of operation.
type ObjectUserOp string

// The kinds of operations.
const (
	ObjectUserOpRead   ObjectUserOp = "read"
	ObjectUserOpWrite  ObjectUserOp = "write"
	ObjectUserOpDelete ObjectUserOp = "delete"
)

// ObjectUserKey is one key of a user.
//
// +kubebuilder:validation:XValidation:rule="has(self.accessKeyRef.name) && size(self.accessKeyRef.name) > 0 && size(self.accessKeyRef.key) > 0",message="`accessKeyRef` must name a Secret and a key of it; set `name` and `key`",fieldPath=".accessKeyRef"
// +kubebuilder:validation:XValidation:rule="has(self.secretKeyRef.name) && size(self.secretKeyRef.name) > 0 && size(self.secretKeyRef.key) > 0",message="`secretKeyRef` must name a Secret and a key of it; set `name` and `key`",fieldPath=".secretKeyRef"
type ObjectUserKey struct {
	// accessKeyRef is where the access key is, in the user's namespace.
	AccessKeyRef *corev1.SecretKeySelector `json:"accessKeyRef"`

	// secretKeyRef is where the secret key is, in the user's namespace.
	SecretKeyRef *corev1.SecretKeySelector `json:"secretKeyRef"`
}

// ObjectUserQuotaSpec limits what a user keeps. What is not set is not limited.
type ObjectUserQuotaSpec struct {
	// maxBuckets that the user may own. 0 sets no limit, -1 allows none.
	// +kubebuilder:validation:Minimum=-1
	// +kubebuilder:validation:Maximum=2147483647
	// +nullable
	// +optional
	MaxBuckets *int32 `json:"maxBuckets,omitempty"`

	// maxSize of all objects, such as 10Gi.
	// +kubebuilder:validation:XValidation:rule="!quantity(string(self)).isLessThan(quantity('0'))",message="`quotas.maxSize` must not be negative; remove it for no limit"
	// +nullable
	// +optional
	MaxSize *resource.Quantity `json:"maxSize,omitempty"`

	// maxObjects in all buckets. -1 sets no limit.
	// +kubebuilder:validation:Minimum=-1
	// +nullable
	// +optional
	MaxObjects *int64 `json:"maxObjects,omitempty"`
}

// CephObjectStoreUserStatus is what is true of a user.
type CephObjectStoreUserStatus struct {
	// phase is derived from the conditions, for dashboards and scripts.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// message is derived from the conditions.
	// +optional
	Message string `json:"message,omitempty"`

	// info holds secretName, the Secret with the user's keys.
	// +nullable
	// +optional
	Info map[string]string `json:"info,omitempty"`

	// keys are the Secrets that the user's keys were read from.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	// +optional
	Keys []ObjectUserSecretReference `json:"keys,omitempty"`

	// keyHashes are hashes of the access keys that were made for this object, or
	// read from the Secrets that it names. They tell these keys from those that
	// somebody else gave to the user.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	// +optional
	KeyHashes []string `json:"keyHashes,omitempty"`

	// retiringKeys were replaced and are still valid, so that clients have time to
	// learn the new ones.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=hash
	// +optional
	RetiringKeys []ObjectUserRetiringKey `json:"retiringKeys,omitempty"`

	// unsupportedFields are the fields of the spec that nobody acts on yet.
	// +kubebuilder:validation:MaxItems=128
	// +listType=set
	// +optional
	UnsupportedFields []string `json:"unsupportedFields,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the user.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
}

// ObjectUserInfoSecret is the key of CephObjectStoreUserStatus.Info that names
// the Secret with the user's keys.
const ObjectUserInfoSecret = "secretName"

// ObjectUserSecretReference is a Secret that keys were read from.
type ObjectUserSecretReference struct {
	// name of the Secret.
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// namespace of the Secret.
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// uid of the Secret.
	// +optional
	UID types.UID `json:"uid,omitempty"`

	// resourceVersion of the Secret when it was read.
	// +optional
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

// ObjectUserRetiringKey is a key that was replaced.
type ObjectUserRetiringKey struct {
	// hash of the access key.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Hash string `json:"hash"`

	// since is when it was replaced.
	Since metav1.Time `json:"since"`
}
