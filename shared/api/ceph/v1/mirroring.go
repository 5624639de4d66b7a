package v1

// MirroringSpec mirrors a pool to another cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.enabled) || !self.enabled || (has(self.mode) && size(self.mode) > 0)",message="`mirroring.mode` must be set when `mirroring.enabled` is true; use image",fieldPath=".mode"
// +kubebuilder:validation:XValidation:rule="!has(self.snapshotSchedules) || self.snapshotSchedules.all(s, has(s.interval) && size(s.interval) > 0)",message="each of `mirroring.snapshotSchedules` must have an `interval`, such as 24h",fieldPath=".snapshotSchedules"
type MirroringSpec struct {
	// enabled turns mirroring on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// mode is pool, image or init-only.
	// +kubebuilder:validation:Enum="";pool;image;init-only
	// +optional
	Mode string `json:"mode,omitempty"`

	// snapshotSchedules of mirrored images.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	SnapshotSchedules []SnapshotScheduleSpec `json:"snapshotSchedules,omitempty"`

	// peers to mirror with.
	// +nullable
	// +optional
	Peers *MirroringPeerSpec `json:"peers,omitempty"`
}

// MirroringPeerSpec names the peers to mirror with.
type MirroringPeerSpec struct {
	// secretNames of the peers' bootstrap tokens.
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	SecretNames []string `json:"secretNames,omitempty"`
}

// SnapshotScheduleSpec is one schedule.
type SnapshotScheduleSpec struct {
	// path of the snapshot; for file systems only.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Path string `json:"path,omitempty"`

	// interval between snapshots, such as 24h.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Interval string `json:"interval,omitempty"`

	// startTime of the first snapshot, such as 14:00:00-05:00.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	StartTime string `json:"startTime,omitempty"`
}

// MirrorHealthCheckSpec tunes how mirroring is watched.
type MirrorHealthCheckSpec struct {
	// mirror is the check of the mirrored images.
	// +optional
	Mirror HealthCheckSpec `json:"mirror,omitzero"`
}

// MirroringStatusSpec is the state of the mirrored images.
type MirroringStatusSpec struct {
	// summary of all images.
	// +optional
	Summary *PoolMirroringStatusSummarySpec `json:"summary,omitempty"`

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

// PoolMirroringStatusSummarySpec is Ceph's summary of mirrored images; its names
// are Ceph's.
type PoolMirroringStatusSummarySpec struct {
	// health of all.
	// +optional
	Health string `json:"health,omitempty"`

	// daemon_health of rbd-mirror.
	// +optional
	DaemonHealth string `json:"daemon_health,omitempty"`

	// image_health of the images.
	// +optional
	ImageHealth string `json:"image_health,omitempty"`

	// group_health of the image groups.
	// +optional
	GroupHealth string `json:"group_health,omitempty"`

	// states counts images by state.
	// +optional
	States *StatesSpec `json:"states,omitempty"`

	// image_states counts images by state in newer releases of Ceph.
	// +optional
	ImageStates *StatesSpec `json:"image_states,omitempty"`

	// group_states counts image groups by state.
	// +optional
	GroupStates *StatesSpec `json:"group_states,omitempty"`
}

// StatesSpec counts mirrored images by state.
type StatesSpec struct {
	// starting_replay images.
	// +optional
	StartingReplay int64 `json:"starting_replay,omitempty"`

	// replaying images.
	// +optional
	Replaying int64 `json:"replaying,omitempty"`

	// syncing images.
	// +optional
	Syncing int64 `json:"syncing,omitempty"`

	// stopping_replay images.
	// +optional
	StopReplaying int64 `json:"stopping_replay,omitempty"`

	// stopped images.
	// +optional
	Stopped int64 `json:"stopped,omitempty"`

	// unknown images.
	// +optional
	Unknown int64 `json:"unknown,omitempty"`

	// error images.
	// +optional
	Error int64 `json:"error,omitempty"`
}

// MirroringInfoSpec is a pool's mirroring mode and peers.
type MirroringInfoSpec struct {
	// mode of mirroring.
	// +optional
	Mode string `json:"mode,omitempty"`

	// site_name of this cluster.
	// +optional
	SiteName string `json:"site_name,omitempty"`

	// peers of the pool.
	// +listType=atomic
	// +nullable
	// +optional
	Peers []PeersSpec `json:"peers,omitempty"`

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

// PeersSpec is one peer of a mirrored pool.
type PeersSpec struct {
	// uuid of the peer.
	// +optional
	UUID string `json:"uuid,omitempty"`

	// direction of mirroring.
	// +optional
	Direction string `json:"direction,omitempty"`

	// site_name of the peer.
	// +optional
	SiteName string `json:"site_name,omitempty"`

	// mirror_uuid of the peer.
	// +optional
	MirrorUUID string `json:"mirror_uuid,omitempty"`

	// client_name with which the peer is reached.
	// +optional
	ClientName string `json:"client_name,omitempty"`
}

// SnapshotScheduleStatusSpec is the schedules in force.
type SnapshotScheduleStatusSpec struct {
	// snapshotSchedules in force.
	// +listType=atomic
	// +optional
	SnapshotSchedules []SnapshotSchedulesSpec `json:"snapshotSchedules,omitempty"`

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

// SnapshotSchedulesSpec is the schedules of one image or pool.
type SnapshotSchedulesSpec struct {
	// pool of the image.
	// +optional
	Pool string `json:"pool,omitempty"`

	// namespace of the image.
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// image that is mirrored.
	// +optional
	Image string `json:"image,omitempty"`

	// items are the schedules.
	// +listType=atomic
	// +optional
	Items []SnapshotSchedule `json:"items,omitempty"`
}

// SnapshotSchedule is one schedule in force.
type SnapshotSchedule struct {
	// interval between snapshots.
	// +optional
	Interval string `json:"interval,omitempty"`

	// start_time of the first.
	// +optional
	StartTime string `json:"start_time,omitempty"`
}
