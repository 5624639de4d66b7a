package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephCluster asks for one Ceph cluster, or for a connection to one that runs
// elsewhere.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=cephclusters,singular=cephcluster,scope=Namespaced,shortName=ceph,categories=rook-ceph
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="DataDirHostPath",type=string,JSONPath=`.spec.dataDirHostPath`,description="Directory on the hosts for state"
// +kubebuilder:printcolumn:name="MonCount",type=string,JSONPath=`.spec.mon.count`,description="Specified monitors"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,description="What is being done or waited for"
// +kubebuilder:printcolumn:name="Health",type=string,JSONPath=`.status.ceph.health`,description="Health as Ceph reports it"
// +kubebuilder:printcolumn:name="External",type=boolean,JSONPath=`.spec.external.enable`
// +kubebuilder:printcolumn:name="FSID",type=string,JSONPath=`.status.ceph.fsid`,description="Identity of the Ceph cluster"
// +kubebuilder:printcolumn:name="OSDs",type=integer,JSONPath=`.status.osds.up`,description="OSDs that are up",priority=1
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version.version`,description="Version of Ceph",priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is or is not Ready",priority=1
type CephCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ClusterSpec `json:"spec"`
	// +optional
	Status ClusterStatus `json:"status,omitzero"`
}

// CephClusterList is a list of CephCluster.
//
// +kubebuilder:object:root=true
type CephClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []CephCluster `json:"items"`
}

// ClusterSpec is what the user asks of one cluster. No controller ever writes it.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.dataDirHostPath) || (has(self.dataDirHostPath) && self.dataDirHostPath == oldSelf.dataDirHostPath)",message="`dataDirHostPath` must not change once set, because the monitors' stores are there; set it back to its former value",fieldPath=".dataDirHostPath"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.cephVersion) || !has(oldSelf.cephVersion.image) || size(oldSelf.cephVersion.image) == 0 || (has(self.cephVersion) && has(self.cephVersion.image) && size(self.cephVersion.image) > 0)",message="`cephVersion.image` must not be taken away once set, because daemons run it; set it to the Ceph image to run",fieldPath=".cephVersion"
// +kubebuilder:validation:XValidation:rule="!has(self.mon) || !has(self.mon.count) || self.mon.count > 0 || (has(self.external) && has(self.external.enable) && self.external.enable)",message="`mon.count` may be 0 only when `external.enable` is true; set it to 3 or 5, or leave it out for 3",fieldPath=".mon.count"
// +kubebuilder:validation:XValidation:rule="(has(self.external) && has(self.external.enable) && self.external.enable) == (has(oldSelf.external) && has(oldSelf.external.enable) && oldSelf.external.enable)",message="`external.enable` must not change; delete the CephCluster and create another one",fieldPath=".external"
type ClusterSpec struct {
	// cephVersion names the image that every Ceph daemon runs.
	// +optional
	CephVersion CephVersionSpec `json:"cephVersion,omitzero"`

	// storage says which nodes and devices become OSDs.
	// +optional
	Storage StorageScopeSpec `json:"storage,omitzero"`

	// annotations to put on the pods of a daemon; the key is a daemon name or all.
	// +nullable
	// +optional
	Annotations AnnotationsSpec `json:"annotations,omitempty"`

	// labels to put on the pods of a daemon; the key is a daemon name or all.
	// +nullable
	// +optional
	Labels LabelsSpec `json:"labels,omitempty"`

	// placement constrains the nodes of a daemon; the key is a daemon name or all.
	// +nullable
	// +optional
	Placement PlacementSpec `json:"placement,omitempty"`

	// network says how daemons are reached.
	// +optional
	Network NetworkSpec `json:"network,omitzero"`

	// resources are the requests and limits of a daemon's containers, by daemon name.
	// +nullable
	// +optional
	Resources ResourceSpec `json:"resources,omitempty"`

	// priorityClassNames gives the priority class of a daemon's pods, by daemon name or all.
	// +nullable
	// +optional
	PriorityClassNames PriorityClassNamesSpec `json:"priorityClassNames,omitempty"`

	// dataDirHostPath is the directory on each host in which daemons keep state
	// and logs. It never changes once set.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^/\S+$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('^/+(etc/+ceph|rook|var/+log/+ceph)/*$')",message="`dataDirHostPath` must not be /etc/ceph, /rook or /var/log/ceph, which Ceph's containers use themselves; use /var/lib/rook"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(^|/)[.][.](/|$)')",message="`dataDirHostPath` must not contain '..'; write the path without it"
	// +optional
	DataDirHostPath string `json:"dataDirHostPath,omitempty"`

	// skipUpgradeChecks rolls daemons without asking Ceph whether that is safe.
	// +optional
	SkipUpgradeChecks bool `json:"skipUpgradeChecks,omitempty"`

	// continueUpgradeAfterChecksEvenIfNotHealthy goes on with an upgrade after
	// the waiting time although placement groups are not clean.
	// +optional
	ContinueUpgradeAfterChecksEvenIfNotHealthy bool `json:"continueUpgradeAfterChecksEvenIfNotHealthy,omitempty"`

	// waitTimeoutForHealthyOSDInMinutes is how many minutes to wait until an OSD
	// may be stopped. Default 10.
	// +kubebuilder:validation:Minimum=0
	// +optional
	WaitTimeoutForHealthyOSDInMinutes int64 `json:"waitTimeoutForHealthyOSDInMinutes,omitempty"`

	// upgradeOSDRequiresHealthyPGs starts rolling OSDs only when all placement
	// groups are healthy.
	// +optional
	UpgradeOSDRequiresHealthyPGs bool `json:"upgradeOSDRequiresHealthyPGs,omitempty"`

	// disruptionManagement governs what a node drain may take away.
	// +optional
	DisruptionManagement DisruptionManagementSpec `json:"disruptionManagement,omitzero"`

	// mon is about the monitors.
	// +optional
	Mon MonSpec `json:"mon,omitzero"`

	// crashCollector is about collecting crash reports of daemons.
	// +optional
	CrashCollector CrashCollectorSpec `json:"crashCollector,omitzero"`

	// dashboard is about Ceph's web dashboard.
	// +optional
	Dashboard DashboardSpec `json:"dashboard,omitzero"`

	// monitoring is about metrics of Ceph.
	// +optional
	Monitoring MonitoringSpec `json:"monitoring,omitzero"`

	// external connects to a Ceph cluster that runs elsewhere.
	// +optional
	External ExternalSpec `json:"external,omitzero"`

	// mgr is about the managers.
	// +optional
	Mgr MgrSpec `json:"mgr,omitzero"`

	// removeOSDsIfOutAndSafeToRemove removes OSDs that are out and hold no data
	// that anybody needs.
	// +optional
	RemoveOSDsIfOutAndSafeToRemove bool `json:"removeOSDsIfOutAndSafeToRemove,omitempty"`

	// cleanupPolicy says what deleting this object does to the data.
	// +optional
	CleanupPolicy CleanupPolicySpec `json:"cleanupPolicy,omitzero"`

	// healthCheck tunes health checks and probes.
	// +optional
	HealthCheck CephClusterHealthCheckSpec `json:"healthCheck,omitzero"`

	// security is about keys and key management services.
	// +optional
	Security ClusterSecuritySpec `json:"security,omitzero"`

	// logCollector is about the daemons' log files.
	// +optional
	LogCollector LogCollectorSpec `json:"logCollector,omitzero"`

	// csi tunes the volume drivers' connection to this cluster.
	// +optional
	CSI CSIDriverSpec `json:"csi,omitzero"`

	// cephConfig holds options for Ceph's configuration database: who, option, value.
	// +nullable
	// +optional
	CephConfig map[string]map[string]string `json:"cephConfig,omitempty"`

	// cephConfigFromSecret is cephConfig with values that are read from Secrets
	// in the same namespace.
	// +nullable
	// +optional
	CephConfigFromSecret map[string]map[string]corev1.SecretKeySelector `json:"cephConfigFromSecret,omitempty"`
}
