package v1alpha1

// DiskType is the kind of a disk.
type DiskType string

// The kinds of disks.
const (
	DiskTypeHDD  DiskType = "hdd"
	DiskTypeSSD  DiskType = "ssd"
	DiskTypeNVMe DiskType = "nvme"
	DiskTypeLoop DiskType = "loop"
)

// CephDiskStatus is what is true of a disk. discover writes everything except
// selection, which osd-manager writes; so the two never meet in a field.
type CephDiskStatus struct {
	// node that the disk is attached to.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Node string `json:"node,omitempty"`

	// device is the kernel's name, such as sdb. It may change at every boot.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Device string `json:"device,omitempty"`

	// path of the device file, such as /dev/sdb.
	// +optional
	Path string `json:"path,omitempty"`

	// stableID identifies the disk whatever its device name: the WWN, else model
	// and serial number, else the path of the bus.
	// +optional
	StableID string `json:"stableID,omitempty"`

	// links below /dev/disk that lead to the disk, sorted.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Links []string `json:"links,omitempty"`

	// wwn is the world wide name.
	// +optional
	WWN string `json:"wwn,omitempty"`

	// serial number.
	// +optional
	Serial string `json:"serial,omitempty"`

	// model as the disk gives it.
	// +optional
	Model string `json:"model,omitempty"`

	// vendor as the disk gives it.
	// +optional
	Vendor string `json:"vendor,omitempty"`

	// size for people, such as 1.8TiB.
	// +optional
	Size string `json:"size,omitempty"`

	// sizeBytes is the exact size.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`

	// sectorSizeBytes is the logical sector size.
	// +optional
	SectorSizeBytes int32 `json:"sectorSizeBytes,omitempty"`

	// type is hdd, ssd, nvme or loop.
	// +kubebuilder:validation:Enum="";hdd;ssd;nvme;loop
	// +optional
	Type DiskType `json:"type,omitempty"`

	// rotational as the kernel says.
	// +optional
	Rotational *bool `json:"rotational,omitempty"`

	// readOnly as the kernel says.
	// +optional
	ReadOnly *bool `json:"readOnly,omitempty"`

	// removable as the kernel says.
	// +optional
	Removable *bool `json:"removable,omitempty"`

	// partitions of the disk.
	// +kubebuilder:validation:MaxItems=256
	// +listType=map
	// +listMapKey=device
	// +optional
	Partitions []Partition `json:"partitions,omitempty"`

	// holders are the devices that are built upon the disk, sorted.
	// +kubebuilder:validation:MaxItems=256
	// +listType=set
	// +optional
	Holders []string `json:"holders,omitempty"`

	// mountpoints of the disk and its partitions on the node, sorted.
	// +kubebuilder:validation:MaxItems=256
	// +listType=set
	// +optional
	Mountpoints []string `json:"mountpoints,omitempty"`

	// signatures found on the disk, by offset.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Signatures []Signature `json:"signatures,omitempty"`

	// osd is the BlueStore label on the disk, if there is one.
	// +optional
	OSD *OSDLabel `json:"osd,omitempty"`

	// probe is discover's verdict: what the disk itself allows.
	// +optional
	Probe *DiskProbe `json:"probe,omitempty"`

	// selection is osd-manager's verdict: what a CephCluster makes of the disk.
	// It is absent while no CephCluster selects disks of the node, and for a
	// disk that probe rules out. Writer: osd-manager.
	// +optional
	Selection *DiskSelection `json:"selection,omitempty"`
}

// Partition is one partition of a disk.
type Partition struct {
	// device is the kernel's name, such as sdb1.
	// +kubebuilder:validation:MinLength=1
	Device string `json:"device"`

	// sizeBytes is the exact size.
	// +optional
	SizeBytes int64 `json:"sizeBytes,omitempty"`

	// label of the partition table entry.
	// +optional
	Label string `json:"label,omitempty"`

	// partUUID of the partition table entry.
	// +optional
	PartUUID string `json:"partUUID,omitempty"`
}

// Signature is a trace of something that keeps data on a disk.
type Signature struct {
	// type of the signature, such as ext4, LVM2_member, crypto_LUKS, gpt, ceph_bluestore.
	// +kubebuilder:validation:MinLength=1
	Type string `json:"type"`

	// offset in bytes from the start of the device.
	// +optional
	Offset int64 `json:"offset,omitempty"`

	// device that holds it when it is a partition.
	// +optional
	Device string `json:"device,omitempty"`

	// uuid that the signature bears.
	// +optional
	UUID string `json:"uuid,omitempty"`

	// label that the signature bears.
	// +optional
	Label string `json:"label,omitempty"`
}

// OSDLabel is the BlueStore label of a disk.
type OSDLabel struct {
	// fsid of the Ceph cluster that the OSD belongs to.
	// +optional
	FSID string `json:"fsid,omitempty"`

	// uuid of the OSD.
	// +optional
	UUID string `json:"uuid,omitempty"`

	// osdID is the number of the OSD.
	// +optional
	OSDID *int32 `json:"osdID,omitempty"`

	// description of the device's role: main, bluefs db or bluefs wal.
	// +optional
	Description string `json:"description,omitempty"`
}

// ProbeState is what a disk itself allows.
type ProbeState string

// The states that discover gives.
const (
	// ProbeAvailable disks are empty and may become OSDs.
	ProbeAvailable ProbeState = "Available"
	// ProbeInUse disks are mounted, held or opened by something.
	ProbeInUse ProbeState = "InUse"
	// ProbeRejected disks bear a signature, are too small, read-only or broken.
	ProbeRejected ProbeState = "Rejected"
	// ProbeOSD disks bear the label of an OSD.
	ProbeOSD ProbeState = "OSD"
	// ProbeMissing disks were there and are gone.
	ProbeMissing ProbeState = "Missing"
)

// DiskProbe is discover's verdict.
type DiskProbe struct {
	// state is Available, InUse, Rejected, OSD or Missing.
	// +kubebuilder:validation:Enum=Available;InUse;Rejected;OSD;Missing
	State ProbeState `json:"state"`

	// reason of the state, in CamelCase, such as FilesystemFound.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^([A-Z][A-Za-z0-9]*)?$`
	// +optional
	Reason string `json:"reason,omitempty"`

	// message says what was found and what a person can do.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Message string `json:"message,omitempty"`
}

// SelectionState is what a CephCluster makes of a disk.
type SelectionState string

// The states that osd-manager gives.
const (
	// SelectionSelected disks will be prepared.
	SelectionSelected SelectionState = "Selected"
	// SelectionNotSelected disks are not matched by the CephCluster.
	SelectionNotSelected SelectionState = "NotSelected"
	// SelectionPreparing disks are being prepared.
	SelectionPreparing SelectionState = "Preparing"
	// SelectionPrepared disks are OSDs of the CephCluster.
	SelectionPrepared SelectionState = "Prepared"
	// SelectionRefused disks are matched and must not be touched.
	SelectionRefused SelectionState = "Refused"
	// SelectionFailed disks could not be prepared.
	SelectionFailed SelectionState = "Failed"
)

// DiskSelection is osd-manager's verdict.
type DiskSelection struct {
	// cluster that the verdict is for.
	Cluster ClusterReference `json:"cluster"`

	// state is Selected, NotSelected, Preparing, Prepared, Refused or Failed.
	// +kubebuilder:validation:Enum=Selected;NotSelected;Preparing;Prepared;Refused;Failed
	State SelectionState `json:"state"`

	// reason of the state, in CamelCase, such as DeviceFilter.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^([A-Z][A-Za-z0-9]*)?$`
	// +optional
	Reason string `json:"reason,omitempty"`

	// message names the rule of the spec that decided.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Message string `json:"message,omitempty"`

	// osdID is the number of the OSD that the disk became.
	// +optional
	OSDID *int32 `json:"osdID,omitempty"`

	// osdUUID is the identity of the OSD that the disk becomes.
	// +optional
	OSDUUID string `json:"osdUUID,omitempty"`
}

// ClusterReference names a CephCluster.
type ClusterReference struct {
	// namespace of the CephCluster.
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`

	// name of the CephCluster.
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Verdict gives the state, reason and message that people see: those of the
// cluster if it has one, else those of discover.
func (s CephDiskStatus) Verdict() (state, reason, message string) {
	if s.Selection != nil {
		return string(s.Selection.State), s.Selection.Reason, s.Selection.Message
	}
	if s.Probe != nil {
		return string(s.Probe.State), s.Probe.Reason, s.Probe.Message
	}
	return "", "", ""
}
