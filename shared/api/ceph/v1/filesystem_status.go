package v1

// CephFilesystemStatus is what is true of a file system.
type CephFilesystemStatus struct {
	// phase is derived from the conditions, for dashboards and scripts.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// message is derived from the conditions.
	// +optional
	Message string `json:"message,omitempty"`

	// filesystemID is the number of the file system in Ceph.
	// +optional
	FilesystemID *int64 `json:"filesystemID,omitempty"`

	// info holds the names of the pools and the like.
	// +optional
	Info map[string]string `json:"info,omitempty"`

	// replicas is the number of active metadata servers.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// selector matches the pods of the metadata servers.
	// +optional
	Selector string `json:"selector,omitempty"`

	// ranks are the shares of the work, by who does them.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=rank
	// +optional
	Ranks []FilesystemRank `json:"ranks,omitempty"`

	// standbys is how many metadata servers can take over.
	// +optional
	Standbys int32 `json:"standbys,omitempty"`

	// snapshotScheduleStatus is the schedules in force.
	// +optional
	SnapshotScheduleStatus *FilesystemSnapshotScheduleStatusSpec `json:"snapshotScheduleStatus,omitempty"`

	// mirroringStatus is the state of mirroring.
	// +optional
	MirroringStatus *FilesystemMirroringInfoSpec `json:"mirroringStatus,omitempty"`

	// cephx is the generation of the daemons' keys.
	// +optional
	Cephx *DaemonCephxStatus `json:"cephx,omitempty"`

	// unsupportedFields are the fields of the spec that nobody acts on yet.
	// +kubebuilder:validation:MaxItems=128
	// +listType=set
	// +optional
	UnsupportedFields []string `json:"unsupportedFields,omitempty"`

	// observedGeneration is the generation that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the file system.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
}

// FilesystemRank is one share of the work of metadata servers.
type FilesystemRank struct {
	// rank is its number.
	// +kubebuilder:validation:Minimum=0
	Rank int32 `json:"rank"`

	// daemon that holds it; empty while nobody does.
	// +optional
	Daemon string `json:"daemon,omitempty"`

	// state of the daemon in Ceph's words, such as up:active.
	// +optional
	State string `json:"state,omitempty"`
}

// DaemonCephxStatus is the generation of the daemons' keys.
type DaemonCephxStatus struct {
	// daemon keys.
	// +optional
	Daemon *CephxStatus `json:"daemon,omitempty"`
}

// FilesystemSnapshotScheduleStatusSpec is the schedules in force.
type FilesystemSnapshotScheduleStatusSpec struct {
	// snapshotSchedules in force.
	// +listType=atomic
	// +optional
	SnapshotSchedules []FilesystemSnapshotSchedulesSpec `json:"snapshotSchedules,omitempty"`

	// lastChecked is when it was read.
	// +optional
	LastChecked string `json:"lastChecked,omitempty"`

	// lastChanged is when it changed.
	// +optional
	LastChanged string `json:"lastChanged,omitempty"`

	// details of a failure to read it.
	// +optional
	Details string `json:"details,omitempty"`
}

// FilesystemSnapshotSchedulesSpec is one schedule in force.
type FilesystemSnapshotSchedulesSpec struct {
	// fs is the file system.
	// +optional
	Fs string `json:"fs,omitempty"`

	// subvol is the subvolume.
	// +optional
	Subvol string `json:"subvol,omitempty"`

	// path of the directory.
	// +optional
	Path string `json:"path,omitempty"`

	// rel_path is the path inside of the subvolume.
	// +optional
	RelPath string `json:"rel_path,omitempty"`

	// schedule is the interval.
	// +optional
	Schedule string `json:"schedule,omitempty"`

	// retention of the snapshots.
	// +optional
	Retention *FilesystemSnapshotScheduleStatusRetention `json:"retention,omitempty"`
}

// FilesystemSnapshotScheduleStatusRetention is how a schedule keeps snapshots.
type FilesystemSnapshotScheduleStatusRetention struct {
	// start of the schedule.
	// +optional
	Start string `json:"start,omitempty"`

	// created is when the schedule was made.
	// +optional
	Created string `json:"created,omitempty"`

	// first snapshot.
	// +optional
	First string `json:"first,omitempty"`

	// last snapshot.
	// +optional
	Last string `json:"last,omitempty"`

	// last_pruned snapshot.
	// +optional
	LastPruned string `json:"last_pruned,omitempty"`

	// created_count of snapshots.
	// +optional
	CreatedCount int64 `json:"created_count,omitempty"`

	// pruned_count of snapshots.
	// +optional
	PrunedCount int64 `json:"pruned_count,omitempty"`

	// active tells whether the schedule runs.
	// +optional
	Active bool `json:"active,omitempty"`
}

// FilesystemMirroringInfoSpec is the state of mirroring.
type FilesystemMirroringInfoSpec struct {
	// daemonsStatus is what each mirror daemon tells.
	// +listType=atomic
	// +nullable
	// +optional
	DaemonsStatus []FilesystemMirroringInfo `json:"daemonsStatus,omitempty"`

	// lastChecked is when it was read.
	// +optional
	LastChecked string `json:"lastChecked,omitempty"`

	// lastChanged is when it changed.
	// +optional
	LastChanged string `json:"lastChanged,omitempty"`

	// details of a failure to read it.
	// +optional
	Details string `json:"details,omitempty"`
}

// FilesystemMirroringInfo is what one mirror daemon tells.
type FilesystemMirroringInfo struct {
	// daemon_id of the daemon.
	// +optional
	DaemonID int64 `json:"daemon_id,omitempty"`

	// filesystems that it mirrors.
	// +listType=atomic
	// +optional
	Filesystems []FilesystemsSpec `json:"filesystems,omitempty"`
}

// FilesystemsSpec is one mirrored file system.
type FilesystemsSpec struct {
	// filesystem_id is its number.
	// +optional
	FilesystemID int64 `json:"filesystem_id,omitempty"`

	// name of the file system.
	// +optional
	Name string `json:"name,omitempty"`

	// directory_count is how many directories are mirrored.
	// +optional
	DirectoryCount int64 `json:"directory_count,omitempty"`

	// peers that it is mirrored to.
	// +listType=atomic
	// +optional
	Peers []FilesystemMirrorInfoPeerSpec `json:"peers,omitempty"`
}

// FilesystemMirrorInfoPeerSpec is one peer.
type FilesystemMirrorInfoPeerSpec struct {
	// uuid of the peer.
	// +optional
	UUID string `json:"uuid,omitempty"`

	// remote is who the peer is.
	// +optional
	Remote *PeerRemoteSpec `json:"remote,omitempty"`

	// stats of mirroring.
	// +optional
	Stats *PeerStatSpec `json:"stats,omitempty"`
}

// PeerRemoteSpec is who a peer is.
type PeerRemoteSpec struct {
	// client_name with which the peer is reached.
	// +optional
	ClientName string `json:"client_name,omitempty"`

	// cluster_name of the peer.
	// +optional
	ClusterName string `json:"cluster_name,omitempty"`

	// fs_name of the file system there.
	// +optional
	FsName string `json:"fs_name,omitempty"`
}

// PeerStatSpec counts what happened with a peer.
type PeerStatSpec struct {
	// failure_count of mirroring.
	// +optional
	FailureCount int64 `json:"failure_count,omitempty"`

	// recovery_count of mirroring.
	// +optional
	RecoveryCount int64 `json:"recovery_count,omitempty"`
}
