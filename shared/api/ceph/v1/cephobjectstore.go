package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephObjectStore asks for one S3 and Swift object store with its pools and
// gateways.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephobjectstores,singular=cephobjectstore,scope=Namespaced,shortName=cephos,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.gateway.instances,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Endpoint",type=string,JSONPath=`.status.info.endpoint`
// +kubebuilder:printcolumn:name="SecureEndpoint",type=string,JSONPath=`.status.info.secureEndpoint`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephObjectStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ObjectStoreSpec `json:"spec"`
	// +optional
	Status *CephObjectStoreStatus `json:"status,omitempty"`
}

// CephObjectStoreList is a list of CephObjectStore.
//
// +kubebuilder:object:root=true
type CephObjectStoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephObjectStore `json:"items"`
}

// ObjectStoreSpec says what an object store is made of.
type ObjectStoreSpec struct {
	// metadataPool says how the store's small pools are made. They are always
	// replicated. Left out with zone, with sharedPools, and for external gateways.
	// +nullable
	// +optional
	MetadataPool *PoolSpec `json:"metadataPool,omitempty"`

	// dataPool says how the pool of the objects is made.
	// +nullable
	// +optional
	DataPool *PoolSpec `json:"dataPool,omitempty"`

	// sharedPools names existing pools that the store uses, in RADOS namespaces of
	// its own, in place of pools of its own.
	// +nullable
	// +optional
	SharedPools *ObjectSharedPoolsSpec `json:"sharedPools,omitempty"`

	// preservePoolsOnDelete keeps the store's pools when this object is deleted.
	// +optional
	PreservePoolsOnDelete bool `json:"preservePoolsOnDelete,omitempty"`

	// gateway says how many RGW daemons there are, where they listen, and how
	// they run.
	// +optional
	Gateway GatewaySpec `json:"gateway,omitzero"`

	// protocols that the gateways speak.
	// +optional
	Protocols ProtocolSpec `json:"protocols,omitzero"`

	// auth says who else than the gateways knows users.
	// +optional
	Auth AuthSpec `json:"auth,omitzero"`

	// zone that the store serves. Without one it has a realm of its own.
	// +nullable
	// +optional
	Zone *ZoneSpec `json:"zone,omitempty"`

	// healthCheck tunes the probes of the gateways.
	// +nullable
	// +optional
	HealthCheck *ObjectHealthCheckSpec `json:"healthCheck,omitempty"`

	// security is about encryption of objects and of connections.
	// +nullable
	// +optional
	Security *ObjectStoreSecuritySpec `json:"security,omitempty"`

	// allowUsersInNamespaces are other namespaces in which a CephObjectStoreUser of
	// this store may be; "*" allows all of them.
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=253
	// +listType=set
	// +optional
	AllowUsersInNamespaces []string `json:"allowUsersInNamespaces,omitempty"`

	// hosting says under which names clients reach the store.
	// +nullable
	// +optional
	Hosting *ObjectStoreHostingSpec `json:"hosting,omitempty"`

	// defaultRealm makes the store's realm the one that tools of Ceph use when none
	// is named. Ceph cannot undo that, only choose another one.
	// +optional
	DefaultRealm bool `json:"defaultRealm,omitempty"`
}

// ZoneSpec names a zone.
type ZoneSpec struct {
	// name of the CephObjectZone in the same namespace.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`
}

// ObjectHealthCheckSpec tunes the probes of gateways.
type ObjectHealthCheckSpec struct {
	// readinessProbe of the gateways.
	// +nullable
	// +optional
	ReadinessProbe *ProbeSpec `json:"readinessProbe,omitempty"`

	// startupProbe of the gateways.
	// +nullable
	// +optional
	StartupProbe *ProbeSpec `json:"startupProbe,omitempty"`
}

// ObjectStoreHostingSpec says under which names clients reach a store.
type ObjectStoreHostingSpec struct {
	// advertiseEndpoint is what users and bucket claims are told in place of the
	// store's Service.
	// +nullable
	// +optional
	AdvertiseEndpoint *ObjectEndpointSpec `json:"advertiseEndpoint,omitempty"`

	// dnsNames under which the gateways accept requests, besides their Service and
	// advertiseEndpoint. Wildcards are written without their asterisk.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	// +listType=set
	// +optional
	DNSNames []string `json:"dnsNames,omitempty"`
}

// ObjectEndpointSpec is one address of a store.
type ObjectEndpointSpec struct {
	// dnsName of the endpoint.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DNSName string `json:"dnsName"`

	// port of the endpoint.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// useTls tells whether it is reached over TLS.
	UseTLS bool `json:"useTls"`
}
