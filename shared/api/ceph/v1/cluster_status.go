package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Phase is where an object is in its life, for dashboards and scripts. It is
// derived from the conditions.
type Phase string

// The phases of objects.
const (
	PhaseConnecting  Phase = "Connecting"
	PhaseConnected   Phase = "Connected"
	PhaseProgressing Phase = "Progressing"
	PhaseReady       Phase = "Ready"
	PhaseFailure     Phase = "Failure"
	PhaseDeleting    Phase = "Deleting"
)

// ClusterState is the older form of Phase that other tools read.
type ClusterState string

// The states of a CephCluster.
const (
	ClusterStateCreating   ClusterState = "Creating"
	ClusterStateCreated    ClusterState = "Created"
	ClusterStateUpdating   ClusterState = "Updating"
	ClusterStateConnecting ClusterState = "Connecting"
	ClusterStateConnected  ClusterState = "Connected"
	ClusterStateError      ClusterState = "Error"
)

// ClusterStatus is what is true of a cluster. Each piece has one writer, who
// always applies the whole of it; see Writer for the conditions.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.connection) || !has(oldSelf.connection.fsid) || (has(self.connection) && has(self.connection.fsid))",message="`status.connection.fsid` must not be removed, because missing state never means a new cluster; put it back",fieldPath=".connection"
type ClusterStatus struct {
	// state is derived from the conditions. Writer: mon-manager.report.
	// +optional
	State ClusterState `json:"state,omitempty"`

	// phase is derived from the conditions. Writer: mon-manager.report.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// message is derived from the conditions. Writer: mon-manager.report.
	// +optional
	Message string `json:"message,omitempty"`

	// observedGeneration is the generation that phase speaks of. Writer: mon-manager.report.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the cluster, each with one writer.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`

	// ceph is Ceph's own view of its health. Writer: mon-manager.health.
	// +optional
	CephStatus *CephStatus `json:"ceph,omitempty"`

	// storage is the classes and stores of the OSDs. Writer: osd-manager.report.
	// +optional
	CephStorage *CephStorage `json:"storage,omitempty"`

	// version is the image and version of Ceph that the cluster moves to.
	// Writer: mon-manager.quorum.
	// +optional
	CephVersion *ClusterVersion `json:"version,omitempty"`

	// cephx is the generation of keys. Each entry has its daemon's writer.
	// +optional
	Cephx *ClusterCephxStatus `json:"cephx,omitempty"`

	// connection is what a client needs besides a key. Writer: mon-manager.quorum.
	// +optional
	Connection *Connection `json:"connection,omitempty"`

	// monitors are placed here. Writer: mon-manager.quorum.
	// +optional
	Monitors *MonitorsStatus `json:"monitors,omitempty"`

	// managers run here. Writer: mon-manager.mgr.
	// +optional
	Managers *ManagersStatus `json:"managers,omitempty"`

	// osds counts OSDs. Writer: osd-manager.report.
	// +optional
	OSDs *OSDsStatus `json:"osds,omitempty"`

	// daemons is the version that all daemons of a role run; the key is mon, mgr,
	// osd, mds or rgw. Each entry has its role's writer.
	// +mapType=granular
	// +optional
	Daemons map[string]DaemonStatus `json:"daemons,omitempty"`

	// unsupportedFields are the fields of the spec that are set and that nobody
	// acts on yet. Writer: mon-manager.report.
	// +kubebuilder:validation:MaxItems=256
	// +listType=set
	// +optional
	UnsupportedFields []string `json:"unsupportedFields,omitempty"`
}

// The keys of ClusterStatus.Daemons.
const (
	RoleMon = "mon"
	RoleMgr = "mgr"
	RoleOSD = "osd"
	RoleMDS = "mds"
	RoleRGW = "rgw"
)

// Connection is what a client needs besides a key to reach a cluster.
type Connection struct {
	// fsid is the identity of the Ceph cluster. It never changes.
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="`status.connection.fsid` must not change, because it is the identity of the cluster; put the former one back"
	// +optional
	FSID string `json:"fsid,omitempty"`

	// monHost is the value of Ceph's option mon_host, with the addresses sorted
	// by monitor name.
	// +optional
	MonHost string `json:"monHost,omitempty"`

	// endpoints of the monitors, by name.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	Endpoints []MonitorEndpoint `json:"endpoints,omitempty"`

	// monmapEpoch is the epoch of the monitor map that this was read from.
	// +optional
	MonmapEpoch int64 `json:"monmapEpoch,omitempty"`
}

// MonitorEndpoint is where one monitor listens.
type MonitorEndpoint struct {
	// name of the monitor, such as a.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`

	// address of the monitor without ports.
	// +optional
	Address string `json:"address,omitempty"`

	// v2Port of the messenger protocol 2; 0 if it does not listen there.
	// +optional
	V2Port int32 `json:"v2Port,omitempty"`

	// v1Port of the messenger protocol 1; 0 if it does not listen there.
	// +optional
	V1Port int32 `json:"v1Port,omitempty"`
}

// MonitorsStatus is where monitors are placed, and the change in progress.
type MonitorsStatus struct {
	// members are the monitors that were given an identity, by name.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	Members []MonitorStatus `json:"members,omitempty"`

	// maxMonID is the highest monitor number ever given (a is 0), so that no
	// name is used twice.
	// +optional
	MaxMonID *int32 `json:"maxMonID,omitempty"`

	// change in progress; written before the first step of it is taken.
	// +optional
	Change *MonitorChange `json:"change,omitempty"`

	// avoidNodes are the nodes from which a new monitor did not join since all
	// monitors were in quorum the last time.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	AvoidNodes []string `json:"avoidNodes,omitempty"`
}

// MonitorStatus is one monitor.
type MonitorStatus struct {
	// name of the monitor, such as a.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`

	// node that it is bound to.
	// +optional
	Node string `json:"node,omitempty"`

	// zone of the node.
	// +optional
	Zone string `json:"zone,omitempty"`

	// address that the monitor map has for it.
	// +optional
	Address string `json:"address,omitempty"`

	// inQuorum says whether it took part in the last quorum seen.
	// +optional
	InQuorum *bool `json:"inQuorum,omitempty"`

	// outSince is when it was first seen out of quorum.
	// +optional
	OutSince *metav1.Time `json:"outSince,omitempty"`
}

// MonitorChangeOperation is what is being done to the monitors.
type MonitorChangeOperation string

// The operations on monitors.
const (
	MonitorAdd     MonitorChangeOperation = "Add"
	MonitorRemove  MonitorChangeOperation = "Remove"
	MonitorReplace MonitorChangeOperation = "Replace"
	MonitorMove    MonitorChangeOperation = "Move"
)

// MonitorChange is a change to the monitors that was begun and not yet ended.
type MonitorChange struct {
	// op is Add, Remove, Replace or Move.
	Op MonitorChangeOperation `json:"op"`

	// mon is the monitor that is added, removed or replaced.
	Mon string `json:"mon"`

	// replacement is the monitor that takes its place.
	// +optional
	Replacement string `json:"replacement,omitempty"`

	// node that the new monitor goes to.
	// +optional
	Node string `json:"node,omitempty"`

	// reason of the change, in CamelCase.
	// +optional
	Reason string `json:"reason,omitempty"`

	// startedAt is when it was begun.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
}

// ManagersStatus is who the managers are.
type ManagersStatus struct {
	// active manager.
	// +optional
	Active string `json:"active,omitempty"`

	// standbys of the active manager.
	// +listType=set
	// +optional
	Standbys []string `json:"standbys,omitempty"`

	// modules that are on.
	// +listType=set
	// +optional
	Modules []string `json:"modules,omitempty"`

	// available says whether the active manager serves.
	// +optional
	Available *bool `json:"available,omitempty"`

	// services are the addresses that modules serve on, such as dashboard.
	// +optional
	Services map[string]string `json:"services,omitempty"`
}

// OSDsStatus counts OSDs.
type OSDsStatus struct {
	// planned OSDs: those that have a CephOSD.
	Planned int32 `json:"planned"`

	// up OSDs.
	Up int32 `json:"up"`

	// in OSDs.
	In int32 `json:"in"`

	// preparing disks that are becoming OSDs.
	// +optional
	Preparing int32 `json:"preparing,omitempty"`

	// failed disks whose preparation failed.
	// +optional
	Failed int32 `json:"failed,omitempty"`

	// removing OSDs.
	// +optional
	Removing int32 `json:"removing,omitempty"`
}

// DaemonStatus is what all daemons of a role run.
type DaemonStatus struct {
	// version of Ceph as Maj.Min.Ext-Build; empty while daemons differ.
	// +optional
	Version string `json:"version,omitempty"`

	// image of the daemons; empty while daemons differ.
	// +optional
	Image string `json:"image,omitempty"`
}

// ClusterVersion is the image and version of Ceph that a cluster moves to.
type ClusterVersion struct {
	// image of the daemons.
	// +optional
	Image string `json:"image,omitempty"`

	// version as Maj.Min.Ext-Build.
	// +optional
	Version string `json:"version,omitempty"`
}
