package v1

// NetworkProviderType says who provides the daemons' network.
type NetworkProviderType string

// The network providers.
const (
	NetworkProviderDefault NetworkProviderType = ""
	NetworkProviderHost    NetworkProviderType = "host"
	NetworkProviderMultus  NetworkProviderType = "multus"
)

// CephNetworkType is one of Ceph's two networks.
type CephNetworkType string

// Ceph's networks.
const (
	CephNetworkPublic  CephNetworkType = "public"
	CephNetworkCluster CephNetworkType = "cluster"
)

// IPFamilyType is an IP version.
type IPFamilyType string

// The IP versions.
const (
	IPv4 IPFamilyType = "IPv4"
	IPv6 IPFamilyType = "IPv6"
)

// CIDR is an address range such as 192.168.0.0/24.
//
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="`network.addressRanges` must hold address ranges such as 192.168.0.0/24; correct this one"
type CIDR string

// NetworkSpec says how daemons are reached.
//
// +kubebuilder:validation:XValidation:rule="!has(self.provider) || self.provider != 'multus' || (has(self.selectors) && size(self.selectors) > 0)",message="`network.selectors` must name a network for `public`, `cluster` or both when `network.provider` is multus",fieldPath=".selectors"
// +kubebuilder:validation:XValidation:rule="!has(self.hostNetwork) || !self.hostNetwork || !has(self.provider) || self.provider != 'multus'",message="`network.hostNetwork` and `network.provider: multus` exclude each other; remove `network.hostNetwork`",fieldPath=".hostNetwork"
// +kubebuilder:validation:XValidation:rule="!has(self.provider) || !has(oldSelf.provider) || self.provider == oldSelf.provider || size(self.provider) == 0 || size(oldSelf.provider) == 0",message="`network.provider` must not change from one provider to another; set it to the empty string first",fieldPath=".provider"
// +kubebuilder:validation:XValidation:rule="!has(self.selectors) || self.selectors.all(k, k in ['public', 'cluster'])",message="`network.selectors` may have the keys `public` and `cluster` only; remove the others",fieldPath=".selectors"
type NetworkSpec struct {
	// provider is empty for the pod network, host, or multus.
	// +kubebuilder:validation:Enum="";host;multus
	// +optional
	Provider NetworkProviderType `json:"provider,omitempty"`

	// selectors name the networks of the provider, by public and cluster.
	// +kubebuilder:validation:MaxProperties=8
	// +optional
	Selectors map[CephNetworkType]string `json:"selectors,omitempty"`

	// addressRanges are the ranges of the public and the cluster network.
	// +optional
	AddressRanges *AddressRangesSpec `json:"addressRanges,omitempty"`

	// connections says how connections are protected.
	// +optional
	Connections *ConnectionsSpec `json:"connections,omitempty"`

	// hostNetwork is the older way to say provider: host.
	// +optional
	HostNetwork bool `json:"hostNetwork,omitempty"`

	// ipFamily is the IP version for Ceph. Default IPv4.
	// +kubebuilder:validation:Enum="";IPv4;IPv6
	// +optional
	IPFamily IPFamilyType `json:"ipFamily,omitempty"`

	// dualStack lets Ceph listen on both IP versions.
	// +optional
	DualStack bool `json:"dualStack,omitempty"`

	// multiClusterService exports mons and OSDs to other Kubernetes clusters.
	// +optional
	MultiClusterService MultiClusterServiceSpec `json:"multiClusterService,omitzero"`
}

// AddressRangesSpec is the address ranges of Ceph's networks.
type AddressRangesSpec struct {
	// public network.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	Public []CIDR `json:"public,omitempty"`

	// cluster network.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	Cluster []CIDR `json:"cluster,omitempty"`
}

// ConnectionsSpec says how connections are protected.
type ConnectionsSpec struct {
	// encryption on the wire.
	// +optional
	Encryption *EncryptionSpec `json:"encryption,omitempty"`

	// compression on the wire.
	// +optional
	Compression *CompressionSpec `json:"compression,omitempty"`

	// requireMsgr2 turns the old protocol (port 6789) off.
	// +optional
	RequireMsgr2 bool `json:"requireMsgr2,omitempty"`
}

// EncryptionSpec is encryption on the wire.
type EncryptionSpec struct {
	// enabled turns it on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
}

// CompressionSpec is compression on the wire.
type CompressionSpec struct {
	// enabled turns it on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
}

// MultiClusterServiceSpec exports daemons to other Kubernetes clusters.
//
// +kubebuilder:validation:XValidation:rule="!has(self.enabled) || !self.enabled || (has(self.clusterID) && size(self.clusterID) > 0)",message="`network.multiClusterService.clusterID` must be set when it is enabled; use this cluster's name in the cluster set",fieldPath=".clusterID"
type MultiClusterServiceSpec struct {
	// enabled turns it on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// clusterID is the name of this Kubernetes cluster among the others.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ClusterID string `json:"clusterID,omitempty"`
}
