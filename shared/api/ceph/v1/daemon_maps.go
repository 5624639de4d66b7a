package v1

import (
	corev1 "k8s.io/api/core/v1"
)

// KeyType is the key of a per-daemon setting.
type KeyType string

// The keys of placement, resources, annotations, labels and priority classes.
const (
	KeyAll             KeyType = "all"
	KeyMon             KeyType = "mon"
	KeyMonArbiter      KeyType = "arbiter"
	KeyMgr             KeyType = "mgr"
	KeyMgrSidecar      KeyType = "mgr-sidecar"
	KeyOSD             KeyType = "osd"
	KeyOSDPrepare      KeyType = "prepareosd"
	KeyRotation        KeyType = "keyrotation"
	KeyMds             KeyType = "mds"
	KeyRgw             KeyType = "rgw"
	KeyCleanup         KeyType = "cleanup"
	KeyDashboard       KeyType = "dashboard"
	KeyMonitoring      KeyType = "monitoring"
	KeyCrashCollector  KeyType = "crashcollector"
	KeyCephExporter    KeyType = "exporter"
	KeyClusterMetadata KeyType = "clusterMetadata"
	KeyCmdReporter     KeyType = "cmdreporter"
	KeyCmdReporterOld  KeyType = "cmd-reporter"
	KeyLogCollector    KeyType = "logcollector"
	KeyRBDMirror       KeyType = "rbdmirror"
	KeyFSMirror        KeyType = "fsmirror"
)

// PlacementSpec is placement by daemon.
type PlacementSpec map[KeyType]Placement

// ResourceSpec is requests and limits by daemon; osd-<class> is for the OSDs of
// one device class.
type ResourceSpec map[string]corev1.ResourceRequirements

// AnnotationsSpec is annotations by daemon.
type AnnotationsSpec map[KeyType]Annotations

// LabelsSpec is labels by daemon.
type LabelsSpec map[KeyType]Labels

// PriorityClassNamesSpec is the priority class by daemon.
type PriorityClassNamesSpec map[KeyType]string

// Annotations to put on an object.
type Annotations map[string]string

// Labels to put on an object.
type Labels map[string]string

// Placement constrains the nodes of a pod. Its parts mean what they mean in a pod.
type Placement struct {
	// nodeAffinity of the pod.
	// +nullable
	// +optional
	NodeAffinity *corev1.NodeAffinity `json:"nodeAffinity,omitempty"`

	// podAffinity of the pod.
	// +nullable
	// +optional
	PodAffinity *corev1.PodAffinity `json:"podAffinity,omitempty"`

	// podAntiAffinity of the pod.
	// +nullable
	// +optional
	PodAntiAffinity *corev1.PodAntiAffinity `json:"podAntiAffinity,omitempty"`

	// tolerations of the pod.
	// +listType=atomic
	// +nullable
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// topologySpreadConstraints of the pod.
	// +listType=atomic
	// +nullable
	// +optional
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
}
