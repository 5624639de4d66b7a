package v1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// What pools are made with when the spec does not say.
const (
	DefaultFailureDomain = "host"
	DefaultCRUSHRoot     = "default"
)

// PoolSpec says how a pool keeps its data. Where a pool is optional, the zero value
// asks for none.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.replicated) && self.replicated.size > 0 && has(self.erasureCoded) && (self.erasureCoded.dataChunks > 0 || self.erasureCoded.codingChunks > 0))",message="exactly one of `replicated.size` and `erasureCoded` must be set; set `replicated.size: 3`, or `erasureCoded.dataChunks` and `erasureCoded.codingChunks`"
// +kubebuilder:validation:XValidation:rule="!has(self.replicated) || !has(self.replicated.subFailureDomain) || size(self.replicated.subFailureDomain) == 0 || self.replicated.subFailureDomain != (has(self.failureDomain) && size(self.failureDomain) > 0 ? self.failureDomain : 'host')",message="`replicated.subFailureDomain` must differ from `failureDomain`; use a smaller one, such as host below zone",fieldPath=".replicated.subFailureDomain"
type PoolSpec struct {
	// failureDomain across which copies or chunks spread: osd, host, rack, zone
	// or any other CRUSH type. Default host.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._-]*$`
	// +optional
	FailureDomain string `json:"failureDomain,omitempty"`

	// crushRoot is the CRUSH bucket below which data is kept. Default `default`.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._-]*$`
	// +optional
	CrushRoot string `json:"crushRoot,omitempty"`

	// deviceClass of the OSDs that hold the data; any if left out.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._-]*$`
	// +optional
	DeviceClass string `json:"deviceClass,omitempty"`

	// enableCrushUpdates moves the data when failureDomain, crushRoot or
	// deviceClass changes. Otherwise a difference is reported only.
	// +optional
	EnableCrushUpdates *bool `json:"enableCrushUpdates,omitempty"`

	// compressionMode is deprecated; use parameters.compression_mode.
	// +kubebuilder:validation:Enum=none;passive;aggressive;force;""
	// +optional
	CompressionMode string `json:"compressionMode,omitempty"`

	// replicated keeps whole copies.
	// +optional
	Replicated ReplicatedSpec `json:"replicated,omitzero"`

	// erasureCoded keeps data and coding chunks.
	// +optional
	ErasureCoded ErasureCodedSpec `json:"erasureCoded,omitzero"`

	// parameters are properties of the pool as `ceph osd pool set` knows them.
	// +kubebuilder:validation:MaxProperties=128
	// +kubebuilder:validation:XValidation:rule="!('compression_mode' in self) || size(self['compression_mode']) == 0 || self['compression_mode'] in ['none', 'passive', 'aggressive', 'force', 'unset']",message="`parameters.compression_mode` must be none, passive, aggressive or force"
	// +nullable
	// +optional
	Parameters map[string]string `json:"parameters,omitempty"`

	// enableRBDStats exports metrics of each image.
	// +optional
	EnableRBDStats bool `json:"enableRBDStats,omitempty"`

	// mirroring to another cluster.
	// +optional
	Mirroring MirroringSpec `json:"mirroring,omitzero"`

	// statusCheck tunes how mirroring is watched.
	// +optional
	StatusCheck MirrorHealthCheckSpec `json:"statusCheck,omitzero"`

	// quotas limit the pool.
	// +optional
	Quotas QuotaSpec `json:"quotas,omitzero"`

	// application that Ceph is told the pool is for. Default rbd for block pools.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Application string `json:"application,omitempty"`
}

// NamedPoolSpec is a pool with a name of its own.
//
// +kubebuilder:validation:XValidation:rule="(has(self.replicated) && self.replicated.size > 0) || (has(self.erasureCoded) && (self.erasureCoded.dataChunks > 0 || self.erasureCoded.codingChunks > 0))",message="exactly one of `replicated.size` and `erasureCoded` must be set; set `replicated.size: 3`, or `erasureCoded.dataChunks` and `erasureCoded.codingChunks`"
type NamedPoolSpec struct {
	// name of the pool.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`

	PoolSpec `json:",inline"`
}

// ReplicatedSpec keeps whole copies.
//
// +kubebuilder:validation:XValidation:rule="self.size != 1 || !has(self.requireSafeReplicaSize) || !self.requireSafeReplicaSize",message="`replicated.size` 1 keeps no second copy and is refused while `replicated.requireSafeReplicaSize` is true; set `size` to 3, or `requireSafeReplicaSize` to false if the data may be lost",fieldPath=".size"
// +kubebuilder:validation:XValidation:rule="!has(self.replicasPerFailureDomain) || self.size == 0 || (self.replicasPerFailureDomain <= self.size && self.size % self.replicasPerFailureDomain == 0)",message="`replicated.size` must be a multiple of `replicated.replicasPerFailureDomain`; change one of them",fieldPath=".replicasPerFailureDomain"
type ReplicatedSpec struct {
	// size is the number of copies.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	Size int32 `json:"size"`

	// targetSizeRatio is the expected share of the cluster's capacity.
	// +kubebuilder:validation:Minimum=0
	// +optional
	TargetSizeRatio float64 `json:"targetSizeRatio,omitempty"`

	// requireSafeReplicaSize refuses a size of 1.
	// +optional
	RequireSafeReplicaSize bool `json:"requireSafeReplicaSize,omitempty"`

	// replicasPerFailureDomain is how many copies share a failure domain.
	// +kubebuilder:validation:Minimum=1
	// +optional
	ReplicasPerFailureDomain int32 `json:"replicasPerFailureDomain,omitempty"`

	// subFailureDomain across which the copies inside a failure domain spread.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._-]*$`
	// +optional
	SubFailureDomain string `json:"subFailureDomain,omitempty"`

	// hybridStorage keeps the first copy on a faster class than the others.
	// +nullable
	// +optional
	HybridStorage *HybridStorageSpec `json:"hybridStorage,omitempty"`
}

// HybridStorageSpec keeps the first copy on another class than the others.
type HybridStorageSpec struct {
	// primaryDeviceClass of the first copy, from which clients read.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	PrimaryDeviceClass string `json:"primaryDeviceClass"`

	// secondaryDeviceClass of the other copies.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	SecondaryDeviceClass string `json:"secondaryDeviceClass"`
}

// ErasureCodedSpec keeps data and coding chunks.
//
// +kubebuilder:validation:XValidation:rule="(self.dataChunks == 0 && self.codingChunks == 0) || (self.dataChunks >= 2 && self.codingChunks >= 1)",message="`erasureCoded.dataChunks` must be at least 2 and `erasureCoded.codingChunks` at least 1; use 2 and 1, or 4 and 2"
// +kubebuilder:validation:XValidation:rule="(has(self.crushNumFailureDomains) && self.crushNumFailureDomains > 0) == (has(self.crushOSDsPerFailureDomain) && self.crushOSDsPerFailureDomain > 0)",message="`erasureCoded.crushNumFailureDomains` and `erasureCoded.crushOSDsPerFailureDomain` must be set together; set both or neither",fieldPath=".crushNumFailureDomains"
// +kubebuilder:validation:XValidation:rule="!has(self.crushNumFailureDomains) || !has(self.crushOSDsPerFailureDomain) || self.crushNumFailureDomains == 0 || self.crushNumFailureDomains * self.crushOSDsPerFailureDomain >= self.dataChunks + self.codingChunks",message="`erasureCoded.crushNumFailureDomains` times `erasureCoded.crushOSDsPerFailureDomain` must not be less than the number of chunks; raise one of them",fieldPath=".crushOSDsPerFailureDomain"
// +kubebuilder:validation:XValidation:rule="!has(self.stripeUnit) || [quantity(string(self.stripeUnit))].all(q, q.isInteger() && q.asInteger() > 0 && q.asInteger() % 4096 == 0)",message="`erasureCoded.stripeUnit` must be a multiple of 4Ki; use 4Ki or 16Ki",fieldPath=".stripeUnit"
type ErasureCodedSpec struct {
	// codingChunks is how many chunks may be lost.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=64
	CodingChunks int32 `json:"codingChunks"`

	// dataChunks is into how many chunks data is split.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=64
	DataChunks int32 `json:"dataChunks"`

	// algorithm: isa or jerasure, or another plugin of Ceph.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Algorithm string `json:"algorithm,omitempty"`

	// stripeUnit is the bytes of a data chunk in a stripe, a multiple of 4Ki.
	// +optional
	StripeUnit *resource.Quantity `json:"stripeUnit,omitempty"`

	// crushNumFailureDomains is across how many failure domains chunks spread.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=128
	// +optional
	CrushNumFailureDomains int32 `json:"crushNumFailureDomains,omitempty"`

	// crushOSDsPerFailureDomain is how many OSDs of a failure domain hold chunks.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=128
	// +optional
	CrushOSDsPerFailureDomain int32 `json:"crushOSDsPerFailureDomain,omitempty"`
}

// QuotaSpec limits a pool.
type QuotaSpec struct {
	// maxBytes is deprecated; use maxSize.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MaxBytes *int64 `json:"maxBytes,omitempty"`

	// maxSize is a quantity such as 10Gi.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9]+[\.]?[0-9]*([KMGTPE]i|[kMGTPE])?$`
	// +optional
	MaxSize *string `json:"maxSize,omitempty"`

	// maxObjects is the number of RADOS objects.
	// +kubebuilder:validation:Minimum=0
	// +optional
	MaxObjects *int64 `json:"maxObjects,omitempty"`
}
