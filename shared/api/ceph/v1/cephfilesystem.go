package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephFilesystem asks for one shared file system with its pools and metadata
// servers.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephfilesystems,singular=cephfilesystem,scope=Namespaced,shortName=cephfs,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.metadataServer.activeCount,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="ActiveMDS",type=integer,JSONPath=`.spec.metadataServer.activeCount`,description="Number of metadata servers that share the work"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]') && size(self.metadata.name) <= 56",message="`metadata.name` must begin with a letter and have at most 56 characters, because the names of metadata servers are made from it; choose another name"
type CephFilesystem struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec FilesystemSpec `json:"spec"`
	// +optional
	Status *CephFilesystemStatus `json:"status,omitempty"`
}

// CephFilesystemList is a list of CephFilesystem.
//
// +kubebuilder:object:root=true
type CephFilesystemList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephFilesystem `json:"items"`
}

// FilesystemSpec says what a file system is made of.
//
// +kubebuilder:validation:XValidation:rule="!has(self.dataPools) || size(self.dataPools) == 0 || !has(self.dataPools[0].erasureCoded) || self.dataPools[0].erasureCoded.dataChunks == 0",message="the first of `dataPools` must be replicated, because Ceph keeps the way back to every file in it; put a pool with `replicated.size: 3` before the erasure coded one",fieldPath=".dataPools"
// +kubebuilder:validation:XValidation:rule="!has(self.dataPools) || self.dataPools.all(p, !has(p.name) || size(p.name) == 0 || self.dataPools.exists_one(q, has(q.name) && q.name == p.name))",message="each of `dataPools` must have a `name` of its own; rename one of the two",fieldPath=".dataPools"
// +kubebuilder:validation:XValidation:rule="!has(self.preservePoolNames) || !self.preservePoolNames || !has(self.metadataPool) || self.metadataPool == null || !has(self.metadataPool.name) || size(self.metadataPool.name) == 0 || !has(self.dataPools) || self.dataPools.all(p, !has(p.name) || p.name != self.metadataPool.name)",message="with `preservePoolNames` the name of `metadataPool` must differ from those of `dataPools`; rename one of them",fieldPath=".metadataPool"
// +kubebuilder:validation:XValidation:rule="!has(self.dataPools) || size(self.dataPools) == 0 || (has(self.metadataPool) && self.metadataPool != null)",message="`metadataPool` must be set where there are `dataPools`; set `metadataPool.replicated.size: 3`",fieldPath=".metadataPool"
// +kubebuilder:validation:XValidation:rule="(has(self.preservePoolNames) && self.preservePoolNames) == (has(oldSelf.preservePoolNames) && oldSelf.preservePoolNames)",message="`preservePoolNames` must not change, because the pools keep their names; put the former value back",fieldPath=".preservePoolNames"
// +kubebuilder:validation:XValidation:rule="!has(self.dataPools) || !has(oldSelf.dataPools) || self.dataPools.all(p, !has(p.name) || size(p.name) == 0 || oldSelf.dataPools.all(o, !has(o.name) || o.name != p.name || (has(o.erasureCoded) ? o.erasureCoded.dataChunks : 0) == (has(p.erasureCoded) ? p.erasureCoded.dataChunks : 0)))",message="one of `dataPools` must not change between `replicated` and `erasureCoded`, nor its `erasureCoded.dataChunks`; add another pool and copy the data",fieldPath=".dataPools"
type FilesystemSpec struct {
	// metadataPool holds the tree of names. It is always replicated.
	// +kubebuilder:validation:XValidation:rule="!has(self.erasureCoded) || self.erasureCoded.dataChunks == 0",message="`metadataPool` must be replicated, because erasure coded pools hold no metadata; use `metadataPool.replicated.size`",fieldPath=".erasureCoded"
	// +nullable
	// +optional
	MetadataPool *NamedPoolSpec `json:"metadataPool,omitempty"`

	// dataPools hold the files. The first is the default for new files and never
	// changes. A pool that is taken out of the list stays in Ceph. Without any,
	// the file system must exist already.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +nullable
	// +optional
	DataPools []NamedPoolSpec `json:"dataPools,omitempty"`

	// preservePoolNames uses the names of the pools as they are, without the
	// name of the file system in front.
	// +optional
	PreservePoolNames bool `json:"preservePoolNames,omitempty"`

	// preservePoolsOnDelete is deprecated: the file system goes and its pools
	// stay, of little use. See preserveFilesystemOnDelete.
	// +optional
	PreservePoolsOnDelete bool `json:"preservePoolsOnDelete,omitempty"`

	// preserveFilesystemOnDelete keeps file system and pools in Ceph when this
	// object is deleted, which waits until no client has the file system mounted.
	// The same object made again takes them over.
	// +optional
	PreserveFilesystemOnDelete bool `json:"preserveFilesystemOnDelete,omitempty"`

	// metadataServer says how many MDS daemons there are, and how they run.
	MetadataServer MetadataServerSpec `json:"metadataServer"`

	// mirroring to another cluster.
	// +nullable
	// +optional
	Mirroring *FSMirroringSpec `json:"mirroring,omitempty"`

	// statusCheck tunes how mirroring is watched.
	// +optional
	StatusCheck MirrorHealthCheckSpec `json:"statusCheck,omitzero"`
}

// MetadataServerSpec says how many MDS daemons there are, and how they run.
type MetadataServerSpec struct {
	// activeCount is the number of daemons that share the work.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	ActiveCount int32 `json:"activeCount"`

	// activeStandby runs as many more daemons, which follow the active ones and
	// take over from them within seconds.
	// +optional
	ActiveStandby bool `json:"activeStandby,omitempty"`

	// placement of the daemons, on top of the cluster's for mds.
	// +optional
	Placement Placement `json:"placement,omitzero"`

	// annotations of the pods.
	// +nullable
	// +optional
	Annotations Annotations `json:"annotations,omitempty"`

	// labels of the pods.
	// +nullable
	// +optional
	Labels Labels `json:"labels,omitempty"`

	// resources of each daemon. The cache is sized by the memory.
	// +nullable
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// priorityClassName of the pods.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// livenessProbe of the daemons.
	// +nullable
	// +optional
	LivenessProbe *ProbeSpec `json:"livenessProbe,omitempty"`

	// startupProbe of the daemons.
	// +nullable
	// +optional
	StartupProbe *ProbeSpec `json:"startupProbe,omitempty"`

	// cacheMemoryLimitFactor is the share of the memory limit that the cache may
	// take. Default 0.5.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	CacheMemoryLimitFactor *float64 `json:"cacheMemoryLimitFactor,omitempty"`

	// cacheMemoryRequestFactor is the share of the memory request that the cache
	// may take where there is no limit. Default 0.8.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1
	// +optional
	CacheMemoryRequestFactor *float64 `json:"cacheMemoryRequestFactor,omitempty"`
}

// FSMirroringSpec mirrors a file system to another cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.snapshotSchedules) || self.snapshotSchedules.all(s, has(s.interval) && size(s.interval) > 0)",message="each of `mirroring.snapshotSchedules` must have an `interval`, such as 24h",fieldPath=".snapshotSchedules"
// +kubebuilder:validation:XValidation:rule="!has(self.snapshotRetention) || self.snapshotRetention.all(r, has(r.duration) && size(r.duration) > 0)",message="each of `mirroring.snapshotRetention` must have a `duration`, such as h24d7",fieldPath=".snapshotRetention"
type FSMirroringSpec struct {
	// enabled turns mirroring on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// peers to mirror with.
	// +nullable
	// +optional
	Peers *MirroringPeerSpec `json:"peers,omitempty"`

	// snapshotSchedules of directories.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	SnapshotSchedules []SnapshotScheduleSpec `json:"snapshotSchedules,omitempty"`

	// snapshotRetention says for how long snapshots are kept.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	SnapshotRetention []SnapshotScheduleRetentionSpec `json:"snapshotRetention,omitempty"`
}

// SnapshotScheduleRetentionSpec says for how long the snapshots of a directory
// are kept.
type SnapshotScheduleRetentionSpec struct {
	// path of the directory.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Path string `json:"path,omitempty"`

	// duration such as h24d7: 24 hourly and 7 daily ones.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Duration string `json:"duration,omitempty"`
}
