package v1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// CephVersionSpec names the Ceph image.
type CephVersionSpec struct {
	// image of the Ceph daemons, with a tag or digest.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Image string `json:"image,omitempty"`

	// allowUnsupported runs a Ceph release that is not among the tested ones.
	// +optional
	AllowUnsupported bool `json:"allowUnsupported,omitempty"`

	// imagePullPolicy of every container that runs the image.
	// +kubebuilder:validation:Enum=IfNotPresent;Always;Never;""
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
}

// ExternalSpec connects to a Ceph cluster that runs elsewhere.
type ExternalSpec struct {
	// enable makes this object a mere connection; no Ceph daemon is started.
	// +optional
	Enable bool `json:"enable,omitempty"`
}

// CrashCollectorSpec is about crash reports.
type CrashCollectorSpec struct {
	// disable stops the collection of crash reports.
	// +optional
	Disable bool `json:"disable,omitempty"`

	// daysToRetain is after how many days a crash report is removed; 0 keeps it.
	// +kubebuilder:validation:Minimum=0
	// +optional
	DaysToRetain int32 `json:"daysToRetain,omitempty"`
}

// LogCollectorSpec is about log files on the hosts.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxLogSize) || quantity(string(self.maxLogSize)).compareTo(quantity('1M')) >= 0",message="`logCollector.maxLogSize` must be at least 1M; use for example 500M",fieldPath=".maxLogSize"
type LogCollectorSpec struct {
	// enabled rotates the daemons' log files.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// periodicity of the rotation.
	// +kubebuilder:validation:Pattern=`^$|^(hourly|daily|weekly|monthly|1h|24h|1d)$`
	// +optional
	Periodicity string `json:"periodicity,omitempty"`

	// maxLogSize is the size above which a file is rotated; at least 1M.
	// +optional
	MaxLogSize *resource.Quantity `json:"maxLogSize,omitempty"`
}

// DisruptionManagementSpec governs voluntary disruptions.
type DisruptionManagementSpec struct {
	// managePodBudgets creates PodDisruptionBudgets for OSDs, mons and others.
	// +optional
	ManagePodBudgets bool `json:"managePodBudgets,omitempty"`

	// osdMaintenanceTimeout is for how many minutes a drained failure domain is
	// kept from being marked out. Default 30.
	// +kubebuilder:validation:Minimum=0
	// +optional
	OSDMaintenanceTimeout int64 `json:"osdMaintenanceTimeout,omitempty"`

	// pgHealthCheckTimeout is deprecated and without effect.
	// +kubebuilder:validation:Minimum=0
	// +optional
	PGHealthCheckTimeout int64 `json:"pgHealthCheckTimeout,omitempty"`

	// pgHealthyRegex matches the states in which a placement group counts as
	// healthy.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="'sdb'.matches(self) ? true : true",message="`disruptionManagement.pgHealthyRegex` must be a regular expression (RE2); correct it or leave it out"
	// +optional
	PGHealthyRegex string `json:"pgHealthyRegex,omitempty"`

	// manageMachineDisruptionBudgets is deprecated and without effect.
	// +optional
	ManageMachineDisruptionBudgets bool `json:"manageMachineDisruptionBudgets,omitempty"`

	// machineDisruptionBudgetNamespace is deprecated and without effect.
	// +optional
	MachineDisruptionBudgetNamespace string `json:"machineDisruptionBudgetNamespace,omitempty"`
}

// DestroyDataConfirmation is the only text that allows data to be destroyed.
const DestroyDataConfirmation = "yes-really-destroy-data"

// CleanupPolicySpec says what deleting a CephCluster does to its data.
type CleanupPolicySpec struct {
	// confirmation must read yes-really-destroy-data before anything is erased.
	// Once it does, nothing is set up any more.
	// +kubebuilder:validation:Pattern=`^$|^yes-really-destroy-data$`
	// +optional
	Confirmation CleanupConfirmationProperty `json:"confirmation,omitempty"`

	// sanitizeDisks says how thoroughly disks are erased.
	// +optional
	SanitizeDisks SanitizeDisksSpec `json:"sanitizeDisks,omitzero"`

	// allowUninstallWithVolumes deletes the cluster although volumes exist.
	// +optional
	AllowUninstallWithVolumes bool `json:"allowUninstallWithVolumes,omitempty"`

	// wipeDevicesFromOtherClusters takes disks over that hold OSDs of a cluster
	// that no longer exists.
	// +optional
	WipeDevicesFromOtherClusters bool `json:"wipeDevicesFromOtherClusters,omitempty"`
}

// CleanupConfirmationProperty is the text that confirms the loss of data.
type CleanupConfirmationProperty string

// SanitizeDisksSpec says how disks are erased.
type SanitizeDisksSpec struct {
	// method is quick (metadata only, the default) or complete.
	// +kubebuilder:validation:Enum=complete;quick;""
	// +optional
	Method SanitizeMethodProperty `json:"method,omitempty"`

	// dataSource to overwrite with: zero (the default) or random.
	// +kubebuilder:validation:Enum=zero;random;""
	// +optional
	DataSource SanitizeDataSourceProperty `json:"dataSource,omitempty"`

	// iteration is how often a disk is overwritten. Default 1.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	Iteration int32 `json:"iteration,omitempty"`
}

// SanitizeMethodProperty is how thoroughly a disk is erased.
type SanitizeMethodProperty string

// SanitizeDataSourceProperty is what a disk is overwritten with.
type SanitizeDataSourceProperty string

// The ways to erase a disk.
const (
	SanitizeMethodQuick      SanitizeMethodProperty     = "quick"
	SanitizeMethodComplete   SanitizeMethodProperty     = "complete"
	SanitizeDataSourceZero   SanitizeDataSourceProperty = "zero"
	SanitizeDataSourceRandom SanitizeDataSourceProperty = "random"
)

// CSIDriverSpec tunes how volumes of this cluster are mounted.
type CSIDriverSpec struct {
	// readAffinity lets a client read from the nearest replica.
	// +nullable
	// +optional
	ReadAffinity ReadAffinitySpec `json:"readAffinity,omitzero"`

	// cephfs tunes CephFS mounts.
	// +nullable
	// +optional
	CephFS CSICephFSSpec `json:"cephfs,omitzero"`

	// skipUserCreation leaves it to the user to create the volume drivers'
	// cephx users and Secrets.
	// +optional
	SkipUserCreation bool `json:"skipUserCreation,omitempty"`
}

// ReadAffinitySpec lets clients read from the nearest replica.
type ReadAffinitySpec struct {
	// enabled turns it on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// crushLocationLabels are the node labels that make up a client's location.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	CrushLocationLabels []string `json:"crushLocationLabels,omitempty"`
}

// CSICephFSSpec tunes CephFS mounts.
type CSICephFSSpec struct {
	// kernelMountOptions are comma separated options of the kernel client, for volumes
	// that are mounted from now on. Those of a StorageClass come after them.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	KernelMountOptions string `json:"kernelMountOptions,omitempty"`

	// fuseMountOptions are comma separated options of ceph-fuse, for volumes that are
	// mounted from now on. Those of a StorageClass come after them.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	FuseMountOptions string `json:"fuseMountOptions,omitempty"`
}
