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
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 49",message="`metadata.name` must have no dots and at most 49 characters, because the name of the store's Service is made from it; choose another name"
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
//
// +kubebuilder:validation:XValidation:rule="(has(self.metadataPool) && self.metadataPool != null && ((has(self.metadataPool.replicated) && self.metadataPool.replicated.size > 0) || (has(self.metadataPool.erasureCoded) && self.metadataPool.erasureCoded.dataChunks > 0))) == (has(self.dataPool) && self.dataPool != null && ((has(self.dataPool.replicated) && self.dataPool.replicated.size > 0) || (has(self.dataPool.erasureCoded) && self.dataPool.erasureCoded.dataChunks > 0)))",message="`metadataPool` and `dataPool` must be set together; set both or neither",fieldPath=".dataPool"
// +kubebuilder:validation:XValidation:rule=`!(has(self.metadataPool) && self.metadataPool != null && ((has(self.metadataPool.replicated) && self.metadataPool.replicated.size > 0) || (has(self.metadataPool.erasureCoded) && self.metadataPool.erasureCoded.dataChunks > 0))) || (has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == ""`,message="`metadataPool` and `sharedPools.metadataPoolName` must not be set both; remove one of them",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`!(has(self.dataPool) && self.dataPool != null && ((has(self.dataPool.replicated) && self.dataPool.replicated.size > 0) || (has(self.dataPool.erasureCoded) && self.dataPool.erasureCoded.dataChunks > 0))) || (has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.dataPoolName) ? self.sharedPools.dataPoolName : "") == ""`,message="`dataPool` and `sharedPools.dataPoolName` must not be set both; remove one of them",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`((has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == "") == ((has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.dataPoolName) ? self.sharedPools.dataPoolName : "") == "")`,message="`sharedPools.metadataPoolName` and `sharedPools.dataPoolName` must be set together; set both or neither",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`(has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == (has(oldSelf.sharedPools) && oldSelf.sharedPools != null && has(oldSelf.sharedPools.metadataPoolName) ? oldSelf.sharedPools.metadataPoolName : "")`,message="`sharedPools.metadataPoolName` must not change, because the objects stay in the former pool; put it back",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`(has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.dataPoolName) ? self.sharedPools.dataPoolName : "") == (has(oldSelf.sharedPools) && oldSelf.sharedPools != null && has(oldSelf.sharedPools.dataPoolName) ? oldSelf.sharedPools.dataPoolName : "")`,message="`sharedPools.dataPoolName` must not change, because the objects stay in the former pool; put it back",fieldPath=".sharedPools"
// +kubebuilder:validation:XValidation:rule=`(has(self.zone) && self.zone != null && has(self.zone.name) ? self.zone.name : "") == "" || (!(has(self.metadataPool) && self.metadataPool != null && ((has(self.metadataPool.replicated) && self.metadataPool.replicated.size > 0) || (has(self.metadataPool.erasureCoded) && self.metadataPool.erasureCoded.dataChunks > 0))) && (has(self.sharedPools) && self.sharedPools != null && has(self.sharedPools.metadataPoolName) ? self.sharedPools.metadataPoolName : "") == "")`,message="a store with `zone` must have no pools of its own, because it uses those of the zone; set them in the CephObjectZone",fieldPath=".zone"
// +kubebuilder:validation:XValidation:rule=`(has(self.zone) && self.zone != null && has(self.zone.name) ? self.zone.name : "") == (has(oldSelf.zone) && oldSelf.zone != null && has(oldSelf.zone.name) ? oldSelf.zone.name : "")`,message="`zone` must not change, because buckets and objects stay in the former zone; create another CephObjectStore",fieldPath=".zone"
// +kubebuilder:validation:XValidation:rule="(has(self.gateway) && has(self.gateway.port) && dyn(self.gateway.port) != null ? self.gateway.port : 0) > 0 || (has(self.gateway) && has(self.gateway.securePort) && dyn(self.gateway.securePort) != null ? self.gateway.securePort : 0) > 0",message="`gateway.port` or `gateway.securePort` must be set; set `gateway.port: 80`",fieldPath=".gateway"
// +kubebuilder:validation:XValidation:rule="(has(self.gateway) && has(self.gateway.port) && dyn(self.gateway.port) != null ? self.gateway.port : 0) != (has(self.gateway) && has(self.gateway.securePort) && dyn(self.gateway.securePort) != null ? self.gateway.securePort : 0) || (has(self.gateway) && has(self.gateway.port) && dyn(self.gateway.port) != null ? self.gateway.port : 0) == 0",message="`gateway.port` and `gateway.securePort` must differ; use 80 and 443",fieldPath=".gateway"
// +kubebuilder:validation:XValidation:rule="(has(self.gateway) && has(self.gateway.securePort) && dyn(self.gateway.securePort) != null ? self.gateway.securePort : 0) == 0 || (has(self.gateway) && has(self.gateway.externalRgwEndpoints) && size(self.gateway.externalRgwEndpoints) > 0) || (has(self.gateway) && has(self.gateway.sslCertificateRef) && dyn(self.gateway.sslCertificateRef) != null && size(self.gateway.sslCertificateRef) > 0) || (has(self.gateway) && has(self.gateway.service) && self.gateway.service != null && has(self.gateway.service.annotations) && 'service.beta.openshift.io/serving-cert-secret-name' in self.gateway.service.annotations)",message="`gateway.securePort` needs a certificate; set `gateway.sslCertificateRef` to the Secret that holds it",fieldPath=".gateway"
type ObjectStoreSpec struct {
	// metadataPool says how the store's small pools are made. They are always
	// replicated. Left out with zone, with sharedPools, and for external gateways.
	// +kubebuilder:validation:XValidation:rule="!has(self.erasureCoded) || self.erasureCoded.dataChunks == 0",message="`metadataPool` must be replicated, because erasure coded pools hold no metadata; use `metadataPool.replicated.size`",fieldPath=".erasureCoded"
	// +nullable
	// +optional
	MetadataPool *PoolSpec `json:"metadataPool,omitempty"`

	// dataPool says how the pool of the objects is made.
	// +kubebuilder:validation:XValidation:rule="((has(self.replicated) && self.replicated.size > 0) == (has(oldSelf.replicated) && oldSelf.replicated.size > 0)) && ((has(self.erasureCoded) ? self.erasureCoded.dataChunks : 0) == (has(oldSelf.erasureCoded) ? oldSelf.erasureCoded.dataChunks : 0)) && ((has(self.erasureCoded) ? self.erasureCoded.codingChunks : 0) == (has(oldSelf.erasureCoded) ? oldSelf.erasureCoded.codingChunks : 0))",message="`dataPool` must not change between `replicated` and `erasureCoded`, nor the numbers of its chunks; create another store and copy the objects"
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
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +listType=set
	// +optional
	DNSNames []string `json:"dnsNames,omitempty"`
}

// ObjectEndpointSpec is one address of a store.
type ObjectEndpointSpec struct {
	// dnsName of the endpoint.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	DNSName string `json:"dnsName"`

	// port of the endpoint.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// useTls tells whether it is reached over TLS.
	UseTLS bool `json:"useTls"`
}
