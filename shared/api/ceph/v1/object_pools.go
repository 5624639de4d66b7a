package v1

// ObjectSharedPoolsSpec names existing pools that a store or a zone uses.
//
// +kubebuilder:validation:XValidation:rule="!has(self.poolPlacements) || self.poolPlacements.filter(p, has(p.default) && p.default).size() <= 1",message="only one of `poolPlacements` may be the `default`; set the others to false",fieldPath=".poolPlacements"
type ObjectSharedPoolsSpec struct {
	// metadataPoolName is the pool of the small things: users, indexes, logs.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	MetadataPoolName string `json:"metadataPoolName,omitempty"`

	// dataPoolName is the pool of the objects.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	DataPoolName string `json:"dataPoolName,omitempty"`

	// preserveRadosNamespaceDataOnDelete keeps what the store wrote into the pools
	// when it is deleted.
	// +optional
	PreserveRadosNamespaceDataOnDelete bool `json:"preserveRadosNamespaceDataOnDelete,omitempty"`

	// poolPlacements are further choices of pools that a bucket can be made in.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	PoolPlacements []PoolPlacementSpec `json:"poolPlacements,omitempty"`
}

// PoolPlacementSpec is one choice of pools that a bucket can be made in.
type PoolPlacementSpec struct {
	// name under which clients choose the placement.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._/-]+$`
	Name string `json:"name"`

	// default makes it the placement of buckets that choose none.
	// +optional
	Default bool `json:"default,omitempty"`

	// metadataPoolName is the pool of the bucket indexes.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	MetadataPoolName string `json:"metadataPoolName"`

	// dataPoolName is the pool of the objects.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DataPoolName string `json:"dataPoolName"`

	// dataNonECPoolName is a replicated pool for what an erasure coded dataPoolName
	// cannot hold, such as unfinished multipart uploads.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	DataNonECPoolName string `json:"dataNonECPoolName,omitempty"`

	// storageClasses that clients can choose per object, besides STANDARD.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	StorageClasses []PlacementStorageClassSpec `json:"storageClasses,omitempty"`
}

// PlacementStorageClassSpec is one class of storage of a placement.
//
// +kubebuilder:validation:XValidation:rule="self.name != 'STANDARD'",message="the storage class STANDARD is the placement's `dataPoolName`; choose another name",fieldPath=".name"
type PlacementStorageClassSpec struct {
	// name of the class, best one that S3 clients know, such as STANDARD_IA.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._/-]+$`
	Name string `json:"name"`

	// dataPoolName is the pool of the objects of this class.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DataPoolName string `json:"dataPoolName"`
}
