package v1

// ProtocolSpec says which protocols gateways speak.
type ProtocolSpec struct {
	// enableAPIs are the only interfaces that the gateways offer; all if empty. The
	// one for administration stays on, because the store is managed through it.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Enum=s3;s3website;swift;swift_auth;admin;sts;iam;notifications
	// +listType=set
	// +optional
	EnableAPIs []ObjectStoreAPI `json:"enableAPIs,omitempty"`

	// s3 tunes S3.
	// +nullable
	// +optional
	S3 *S3Spec `json:"s3,omitempty"`

	// swift tunes Swift.
	// +nullable
	// +optional
	Swift *SwiftSpec `json:"swift,omitempty"`
}

// ObjectStoreAPI is one interface of a gateway, in Ceph's words.
type ObjectStoreAPI string

// The interfaces of a gateway.
const (
	ObjectStoreAPIS3            ObjectStoreAPI = "s3"
	ObjectStoreAPIS3Website     ObjectStoreAPI = "s3website"
	ObjectStoreAPISwift         ObjectStoreAPI = "swift"
	ObjectStoreAPISwiftAuth     ObjectStoreAPI = "swift_auth"
	ObjectStoreAPIAdmin         ObjectStoreAPI = "admin"
	ObjectStoreAPISTS           ObjectStoreAPI = "sts"
	ObjectStoreAPIIAM           ObjectStoreAPI = "iam"
	ObjectStoreAPINotifications ObjectStoreAPI = "notifications"
)

// S3Spec tunes S3.
type S3Spec struct {
	// enabled turns S3 on, which is the default.
	// +nullable
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// authUseKeystone asks Keystone about S3 users.
	// +nullable
	// +optional
	AuthUseKeystone *bool `json:"authUseKeystone,omitempty"`
}

// SwiftSpec tunes Swift.
type SwiftSpec struct {
	// accountInUrl puts the account into Swift's URLs.
	// +nullable
	// +optional
	AccountInURL *bool `json:"accountInUrl,omitempty"`

	// urlPrefix of Swift's URLs. Default swift; / turns S3 off.
	// +kubebuilder:validation:MaxLength=253
	// +nullable
	// +optional
	URLPrefix *string `json:"urlPrefix,omitempty"`

	// versioningEnabled lets clients keep versions of objects.
	// +nullable
	// +optional
	VersioningEnabled *bool `json:"versioningEnabled,omitempty"`
}

// AuthSpec says who else knows users.
type AuthSpec struct {
	// keystone knows users.
	// +nullable
	// +optional
	Keystone *KeystoneSpec `json:"keystone,omitempty"`
}

// KeystoneSpec is how Keystone is asked.
type KeystoneSpec struct {
	// url of Keystone.
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url"`

	// serviceUserSecretName is the Secret with the account that asks.
	// +kubebuilder:validation:MaxLength=253
	ServiceUserSecretName string `json:"serviceUserSecretName"`

	// acceptedRoles of users.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	AcceptedRoles []string `json:"acceptedRoles"`

	// implicitTenants gives each user a tenant of its own.
	// +kubebuilder:validation:Enum="";swift;s3;true;false
	// +optional
	ImplicitTenants string `json:"implicitTenants,omitempty"`

	// tokenCacheSize is how many tokens are kept.
	// +nullable
	// +optional
	TokenCacheSize *int64 `json:"tokenCacheSize,omitempty"`

	// revocationInterval is the seconds between checks for revoked tokens.
	// +nullable
	// +optional
	RevocationInterval *int64 `json:"revocationInterval,omitempty"`
}

// ObjectStoreSecuritySpec is about encryption of objects and of connections.
type ObjectStoreSecuritySpec struct {
	// kms keeps the keys of objects that are encrypted with keys that clients name.
	// +nullable
	// +optional
	KeyManagementService KeyManagementServiceSpec `json:"kms,omitzero"`

	// keyRotation rotates keys.
	// +nullable
	// +optional
	KeyRotation KeyRotationSpec `json:"keyRotation,omitzero"`

	// s3 keeps the keys of objects that the store encrypts on its own.
	// +nullable
	// +optional
	ServerSideEncryptionS3 KeyManagementServiceSpec `json:"s3,omitzero"`

	// sslOptions of the gateways' TLS, such as no_tlsv1.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[a-zA-Z0-9!+@=._-]+$`
	// +listType=atomic
	// +optional
	SSLOptions []string `json:"sslOptions,omitempty"`

	// ciphers of TLS up to 1.2.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[a-zA-Z0-9!+@=._-]+$`
	// +listType=atomic
	// +optional
	Ciphers []string `json:"ciphers,omitempty"`

	// cipherSuites of TLS 1.3.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[a-zA-Z0-9!+@=._-]+$`
	// +listType=atomic
	// +optional
	CipherSuites []string `json:"cipherSuites,omitempty"`

	// tlsGroups for the exchange of keys.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[a-zA-Z0-9!+@=._-]+$`
	// +listType=atomic
	// +optional
	TLSGroups []string `json:"tlsGroups,omitempty"`
}
