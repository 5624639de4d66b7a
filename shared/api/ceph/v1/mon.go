package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MonSpec is about the monitors.
//
// +kubebuilder:validation:XValidation:rule="!has(self.stretchCluster) || !has(self.zones) || size(self.zones) == 0",message="`mon.zones` and `mon.stretchCluster` exclude each other; keep one of them",fieldPath=".zones"
// +kubebuilder:validation:XValidation:rule="!has(self.stretchCluster) || !has(self.count) || self.count in [3, 5]",message="`mon.count` must be 3 or 5 in a stretch cluster; set it to 5",fieldPath=".count"
type MonSpec struct {
	// count of monitors, an odd number if possible. Default 3.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=9
	// +optional
	Count int32 `json:"count,omitempty"`

	// allowMultiplePerNode lets monitors share a node, for tests.
	// +optional
	AllowMultiplePerNode bool `json:"allowMultiplePerNode,omitempty"`

	// failureDomainLabel is the node label across whose values monitors spread.
	// +kubebuilder:validation:MaxLength=316
	// +optional
	FailureDomainLabel string `json:"failureDomainLabel,omitempty"`

	// zones to spread the monitors across.
	// +kubebuilder:validation:MaxItems=9
	// +listType=map
	// +listMapKey=name
	// +optional
	Zones []MonZoneSpec `json:"zones,omitempty"`

	// stretchCluster spreads the cluster over two data zones and an arbiter.
	// +optional
	StretchCluster *StretchClusterSpec `json:"stretchCluster,omitempty"`

	// volumeClaimTemplate keeps a monitor's store on a volume instead of the host.
	// +optional
	VolumeClaimTemplate *VolumeClaimTemplate `json:"volumeClaimTemplate,omitempty"`

	// externalMonIDs are monitors that run elsewhere and belong to this cluster.
	// +kubebuilder:validation:MaxItems=9
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +optional
	ExternalMonIDs []string `json:"externalMonIDs,omitempty"`

	// floatingMon is the monitor that moves between two nodes with a replicated
	// block device.
	// +optional
	FloatingMon *FloatingMonSpec `json:"floatingMon,omitempty"`
}

// FloatingMonSpec is the monitor that moves between two nodes.
type FloatingMonSpec struct {
	// name of the monitor.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Name string `json:"name,omitempty"`

	// configmapName is the ConfigMap that says where it runs.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ConfigmapName string `json:"configmapName,omitempty"`
}

// StretchClusterSpec spreads a cluster over two data zones and an arbiter.
//
// +kubebuilder:validation:XValidation:rule="has(self.zones) && size(self.zones) == 3 && self.zones.filter(z, has(z.arbiter) && z.arbiter).size() == 1",message="`mon.stretchCluster.zones` must be three zones of which exactly one has `arbiter: true`",fieldPath=".zones"
type StretchClusterSpec struct {
	// failureDomainLabel is the node label that names the zone.
	// +kubebuilder:validation:MaxLength=316
	// +optional
	FailureDomainLabel string `json:"failureDomainLabel,omitempty"`

	// subFailureDomain is the failure domain inside a zone.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	SubFailureDomain string `json:"subFailureDomain,omitempty"`

	// zones are the two data zones and the arbiter.
	// +kubebuilder:validation:MaxItems=9
	// +listType=map
	// +listMapKey=name
	// +optional
	Zones []MonZoneSpec `json:"zones,omitempty"`
}

// MonZoneSpec is one zone.
type MonZoneSpec struct {
	// name of the zone: a value of the failure domain label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// arbiter marks the zone that only breaks ties and holds no data.
	// +optional
	Arbiter bool `json:"arbiter,omitempty"`

	// volumeClaimTemplate for the monitors of this zone.
	// +optional
	VolumeClaimTemplate *VolumeClaimTemplate `json:"volumeClaimTemplate,omitempty"`
}

// VolumeClaimTemplate describes a claim to create.
type VolumeClaimTemplate struct {
	// metadata of the claim; name, labels and annotations count.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec of the claim.
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Spec corev1.PersistentVolumeClaimSpec `json:"spec,omitempty"`
}

// MgrSpec is about the managers.
type MgrSpec struct {
	// count of managers: one active, the others standing by. Default 1.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5
	// +optional
	Count int32 `json:"count,omitempty"`

	// allowMultiplePerNode lets managers share a node.
	// +optional
	AllowMultiplePerNode bool `json:"allowMultiplePerNode,omitempty"`

	// modules to turn on or off.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	// +optional
	Modules []Module `json:"modules,omitempty"`

	// hostNetwork overrides the cluster's network for managers.
	// +optional
	HostNetwork *bool `json:"hostNetwork,omitempty"`
}

// Module is one manager module.
type Module struct {
	// name of the module.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// enabled turns the module on, or off when false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// settings of the module.
	// +optional
	Settings ModuleSettings `json:"settings,omitzero"`
}

// ModuleSettings are settings of a manager module.
type ModuleSettings struct {
	// balancerMode of the balancer module.
	// +kubebuilder:validation:Enum="";none;crush-compat;upmap;read;upmap-read
	// +optional
	BalancerMode string `json:"balancerMode,omitempty"`
}
