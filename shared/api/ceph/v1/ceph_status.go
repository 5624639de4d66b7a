package v1

// CephStatus is Ceph's own view of its health.
type CephStatus struct {
	// health is HEALTH_OK, HEALTH_WARN or HEALTH_ERR.
	// +optional
	Health string `json:"health,omitempty"`

	// details of each health check that is not fine, by its code.
	// +mapType=atomic
	// +optional
	Details map[string]CephHealthMessage `json:"details,omitempty"`

	// lastChecked is when this was last written (RFC 3339). It is written with a
	// change only, never as a heartbeat.
	// +optional
	LastChecked string `json:"lastChecked,omitempty"`

	// lastChanged is when health last changed (RFC 3339).
	// +optional
	LastChanged string `json:"lastChanged,omitempty"`

	// previousHealth is the health before that.
	// +optional
	PreviousHealth string `json:"previousHealth,omitempty"`

	// capacity of the cluster.
	// +optional
	Capacity *Capacity `json:"capacity,omitempty"`

	// versions that daemons run.
	// +optional
	Versions *CephDaemonsVersions `json:"versions,omitempty"`

	// fsid is the identity of the Ceph cluster.
	// +optional
	FSID string `json:"fsid,omitempty"`
}

// CephHealthMessage is one health check that is not fine.
type CephHealthMessage struct {
	// severity is HEALTH_WARN or HEALTH_ERR.
	Severity string `json:"severity"`

	// message is Ceph's summary.
	Message string `json:"message"`
}

// Capacity is the raw capacity of a cluster.
type Capacity struct {
	// bytesTotal of all OSDs.
	// +optional
	TotalBytes int64 `json:"bytesTotal,omitempty"`

	// bytesUsed of all OSDs.
	// +optional
	UsedBytes int64 `json:"bytesUsed,omitempty"`

	// bytesAvailable of all OSDs.
	// +optional
	AvailableBytes int64 `json:"bytesAvailable,omitempty"`

	// lastUpdated is when this last changed (RFC 3339).
	// +optional
	LastUpdated string `json:"lastUpdated,omitempty"`
}

// CephDaemonsVersions counts daemons by Ceph's long version text, per kind.
type CephDaemonsVersions struct {
	// mon daemons.
	// +optional
	Mon map[string]int32 `json:"mon,omitempty"`

	// mgr daemons.
	// +optional
	Mgr map[string]int32 `json:"mgr,omitempty"`

	// osd daemons.
	// +optional
	Osd map[string]int32 `json:"osd,omitempty"`

	// rgw daemons.
	// +optional
	Rgw map[string]int32 `json:"rgw,omitempty"`

	// mds daemons.
	// +optional
	Mds map[string]int32 `json:"mds,omitempty"`

	// rbd-mirror daemons.
	// +optional
	RbdMirror map[string]int32 `json:"rbd-mirror,omitempty"`

	// cephfs-mirror daemons.
	// +optional
	CephFSMirror map[string]int32 `json:"cephfs-mirror,omitempty"`

	// overall daemons of any kind.
	// +optional
	Overall map[string]int32 `json:"overall,omitempty"`
}

// CephStorage is the classes and stores of OSDs.
type CephStorage struct {
	// deviceClasses in use.
	// +listType=map
	// +listMapKey=name
	// +optional
	DeviceClasses []DeviceClasses `json:"deviceClasses,omitempty"`

	// osd stores.
	// +optional
	OSD *OSDStatus `json:"osd,omitempty"`

	// deprecatedOSDs need to be rebuilt, by the reason.
	// +optional
	DeprecatedOSDs map[string][]int32 `json:"deprecatedOSDs,omitempty"`
}

// DeviceClasses is one device class in use.
type DeviceClasses struct {
	// name of the class.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
}

// OSDStatus is the stores of OSDs.
type OSDStatus struct {
	// storeType counts OSDs by the kind of their store.
	// +optional
	StoreType map[string]int32 `json:"storeType,omitempty"`

	// migrationStatus of OSDs that are rebuilt.
	// +optional
	MigrationStatus *MigrationStatus `json:"migrationStatus,omitempty"`
}

// MigrationStatus is how far rebuilding OSDs is.
type MigrationStatus struct {
	// pending OSDs.
	// +optional
	Pending int32 `json:"pending,omitempty"`
}

// ClusterCephxStatus is the generation of keys by owner.
type ClusterCephxStatus struct {
	// admin key.
	// +optional
	Admin *CephxStatus `json:"admin,omitempty"`

	// mon keys.
	// +optional
	Mon *CephxStatus `json:"mon,omitempty"`

	// mgr keys.
	// +optional
	Mgr *CephxStatus `json:"mgr,omitempty"`

	// osd keys.
	// +optional
	OSD *CephxStatus `json:"osd,omitempty"`

	// csi keys.
	// +optional
	CSI *CephxStatusWithKeyCount `json:"csi,omitempty"`

	// rbdMirrorPeer keys.
	// +optional
	RBDMirrorPeer *CephxStatus `json:"rbdMirrorPeer,omitempty"`

	// crashCollector keys.
	// +optional
	CrashCollector *CephxStatus `json:"crashCollector,omitempty"`

	// cephExporter keys.
	// +optional
	CephExporter *CephxStatus `json:"cephExporter,omitempty"`
}

// CephxStatus is the generation of a key.
type CephxStatus struct {
	// keyGeneration counts rotations.
	// +optional
	KeyGeneration int64 `json:"keyGeneration,omitempty"`

	// keyCephVersion is the version of Ceph that made the key.
	// +optional
	KeyCephVersion string `json:"keyCephVersion,omitempty"`

	// keyType is the cipher of the key.
	// +optional
	KeyType CephxKeyType `json:"keyType,omitempty"`
}

// CephxStatusWithKeyCount also counts the former keys that stay valid.
type CephxStatusWithKeyCount struct {
	CephxStatus `json:",inline"`

	// priorKeyCount is how many former keys are still valid.
	// +optional
	PriorKeyCount int32 `json:"priorKeyCount,omitempty"`
}
