package v1

// ClusterSecuritySpec is about keys and key management services.
type ClusterSecuritySpec struct {
	// kms keeps the keys of encrypted OSDs.
	// +optional
	KeyManagementService KeyManagementServiceSpec `json:"kms,omitzero"`

	// keyRotation rotates the keys of encrypted OSDs.
	// +optional
	KeyRotation KeyRotationSpec `json:"keyRotation,omitzero"`

	// cephx rotates the keys of daemons and clients.
	// +optional
	CephX ClusterCephxConfig `json:"cephx,omitzero"`
}

// KeyManagementServiceSpec is one key management service.
type KeyManagementServiceSpec struct {
	// connectionDetails of the service; KMS_PROVIDER names its kind.
	// +kubebuilder:validation:MaxProperties=128
	// +nullable
	// +optional
	ConnectionDetails map[string]string `json:"connectionDetails,omitempty"`

	// tokenSecretName is the Secret with the service's token.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	TokenSecretName string `json:"tokenSecretName,omitempty"`
}

// KeyRotationSpec rotates keys by schedule.
type KeyRotationSpec struct {
	// enabled turns it on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// schedule in cron's format. Default weekly.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Schedule string `json:"schedule,omitempty"`
}

// ClusterCephxConfig is about the keys of daemons and clients.
type ClusterCephxConfig struct {
	// allowedCiphers are the key types that monitors accept.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:Enum=aes;aes256k
	// +listType=set
	// +optional
	AllowedCiphers []CephxKeyType `json:"allowedCiphers,omitempty"`

	// daemon keys.
	// +optional
	Daemon CephxConfig `json:"daemon,omitzero"`

	// rbdMirrorPeer keys.
	// +optional
	RBDMirrorPeer CephxConfig `json:"rbdMirrorPeer,omitzero"`

	// csi keys.
	// +optional
	CSI CephXConfigWithPriorCount `json:"csi,omitzero"`
}

// CephxKeyType is the cipher of a key.
type CephxKeyType string

// CephxKeyRotationPolicy says when a key is rotated.
type CephxKeyRotationPolicy string

// The rotation policies.
const (
	DisabledCephxKeyRotationPolicy      CephxKeyRotationPolicy = "Disabled"
	KeyGenerationCephxKeyRotationPolicy CephxKeyRotationPolicy = "KeyGeneration"
)

// CephxConfig is about the rotation of one family of keys.
//
// +kubebuilder:validation:XValidation:rule="!has(self.keyRotationPolicy) || self.keyRotationPolicy != 'KeyGeneration' || has(self.keyGeneration)",message="`keyGeneration` must be set when `keyRotationPolicy` is KeyGeneration; set it to one more than the status shows",fieldPath=".keyGeneration"
type CephxConfig struct {
	// keyRotationPolicy is Disabled (the default) or KeyGeneration.
	// +kubebuilder:validation:Enum="";Disabled;KeyGeneration
	// +optional
	KeyRotationPolicy CephxKeyRotationPolicy `json:"keyRotationPolicy,omitempty"`

	// keyGeneration above the status' one rotates the keys once.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	// +kubebuilder:validation:XValidation:rule="self >= oldSelf",message="`keyGeneration` must not become smaller; keep or raise it"
	// +optional
	KeyGeneration int64 `json:"keyGeneration,omitempty"`

	// keyType of new keys.
	// +kubebuilder:validation:Enum="";aes;aes256k
	// +optional
	KeyType CephxKeyType `json:"keyType,omitempty"`
}

// CephXConfigWithPriorCount also says how many former keys stay valid.
type CephXConfigWithPriorCount struct {
	CephxConfig `json:",inline"`

	// keepPriorKeyCountMax is how many former keys stay valid.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=255
	// +optional
	KeepPriorKeyCountMax int32 `json:"keepPriorKeyCountMax,omitempty"`
}
