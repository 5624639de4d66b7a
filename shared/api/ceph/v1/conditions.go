package v1

// The types of conditions. Each has one writer; see Writer.
const (
	// ConditionMonitorsInQuorum is True when the specified monitors are in
	// quorum, no stale one is in the monitor map and the connection is published.
	ConditionMonitorsInQuorum = "MonitorsInQuorum"
	// ConditionManagerActive is True when a manager is active with the required
	// modules.
	ConditionManagerActive = "ManagerActive"
	// ConditionUsersReady is True when every service and volume driver has its
	// cephx user, with its Secret.
	ConditionUsersReady = "UsersReady"
	// ConditionConfigApplied is True when Ceph holds the options of the spec and
	// mutes the health checks it names.
	ConditionConfigApplied = "ConfigApplied"
	// ConditionOSDsServing is True when every planned OSD is up and in, and no
	// placement group is inactive.
	ConditionOSDsServing = "OSDsServing"
	// ConditionDisksSelected is True when the storage section can be done as
	// written: every selector is valid, and every node and device that it names
	// exists and may be used.
	ConditionDisksSelected = "DisksSelected"
	// ConditionOSDsRemoved appears while the cluster is being deleted, and says
	// what the removal of its OSDs waits for.
	ConditionOSDsRemoved = "OSDsRemoved"
	// ConditionSpaceAvailable is True when no OSD and no pool is full or nearly
	// so; the reason is the code of Ceph's health check.
	ConditionSpaceAvailable = "SpaceAvailable"
	// ConditionFilesystemsServing is True when every file system has its ranks.
	ConditionFilesystemsServing = "FilesystemsServing"
	// ConditionObjectStoresServing is True when every gateway answers.
	ConditionObjectStoresServing = "ObjectStoresServing"
	// ConditionProvisioningReady is True when pools, CSI users and drivers are usable.
	ConditionProvisioningReady = "ProvisioningReady"

	// ConditionReady is True when everything the spec asks for is.
	ConditionReady = "Ready"
	// ConditionReconciling is True while something is being done.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when only a person can help.
	ConditionStalled = "Stalled"
	// ConditionUnsupportedFields is True when the spec sets fields that nobody
	// acts on yet; the message names them.
	ConditionUnsupportedFields = "UnsupportedFields"
	// ConditionDeletionIsBlocked is True when deletion waits for something.
	ConditionDeletionIsBlocked = "DeletionIsBlocked"
	// ConditionPoolDeletionIsBlocked is True when a pool holds images or snapshots.
	ConditionPoolDeletionIsBlocked = "PoolDeletionIsBlocked"

	// The following are derived from the others, for tools that read them.

	// ConditionConnecting is True while connecting to an external cluster.
	ConditionConnecting = "Connecting"
	// ConditionConnected is True when connected to an external cluster.
	ConditionConnected = "Connected"
	// ConditionProgressing is True while a cluster is being set up or changed.
	ConditionProgressing = "Progressing"
	// ConditionFailure is True when setting up failed.
	ConditionFailure = "Failure"
	// ConditionDeleting is True while the object is being deleted.
	ConditionDeleting = "Deleting"
)

// The controllers that write conditions and pieces of the status. A name is also
// the field manager.
const (
	WriterQuorum       = "mon-manager.quorum"
	WriterMgr          = "mon-manager.mgr"
	WriterUsers        = "mon-manager.users"
	WriterSettings     = "mon-manager.settings"
	WriterHealth       = "mon-manager.health"
	WriterReport       = "mon-manager.report"
	WriterOSDs         = "osd-manager.report"
	WriterOSDTeardown  = "osd-manager.teardown"
	WriterFilesystems  = "mds-manager.report"
	WriterObjectStores = "rgw-manager.report"
	WriterProvisioning = "provisioner.report"
	WriterPool         = "provisioner.pool"
	WriterFilesystem   = "mds-manager.filesystem"
	WriterGroup        = "mds-manager.group"
	WriterObjectStore  = "rgw-manager.store"
	WriterObjectUser   = "rgw-manager.user"
	WriterRealm        = "rgw-manager.realm"
	WriterZoneGroup    = "rgw-manager.zonegroup"
	WriterZone         = "rgw-manager.zone"
	WriterClaim        = "rgw-manager.claim"
)

// Writer gives the controller that writes a condition of a CephCluster, and
// nobody else does. It is empty for an unknown type.
func Writer(conditionType string) string { //nolint:gocyclo // a flat table
	switch conditionType {
	case ConditionMonitorsInQuorum:
		return WriterQuorum
	case ConditionManagerActive:
		return WriterMgr
	case ConditionUsersReady:
		return WriterUsers
	case ConditionConfigApplied:
		return WriterSettings
	case ConditionOSDsServing, ConditionDisksSelected:
		return WriterOSDs
	case ConditionOSDsRemoved:
		return WriterOSDTeardown
	case ConditionSpaceAvailable:
		return WriterHealth
	case ConditionFilesystemsServing:
		return WriterFilesystems
	case ConditionObjectStoresServing:
		return WriterObjectStores
	case ConditionProvisioningReady:
		return WriterProvisioning
	case ConditionPoolDeletionIsBlocked:
		return WriterPool
	case ConditionReady, ConditionReconciling, ConditionStalled, ConditionUnsupportedFields,
		ConditionDeletionIsBlocked, ConditionConnecting, ConditionConnected,
		ConditionProgressing, ConditionFailure, ConditionDeleting:
		return WriterReport
	}
	return ""
}

// ServiceConditions are the conditions of a CephCluster that Ready sums up, in
// the order in which their writers wait for one another.
func ServiceConditions() []string {
	return []string{
		ConditionMonitorsInQuorum,
		ConditionManagerActive,
		ConditionOSDsServing,
		ConditionFilesystemsServing,
		ConditionObjectStoresServing,
		ConditionProvisioningReady,
	}
}

// LegacyConditions are the conditions that are derived from the others for
// tools that read them.
func LegacyConditions() []string {
	return []string{
		ConditionConnecting,
		ConditionConnected,
		ConditionProgressing,
		ConditionFailure,
		ConditionDeleting,
	}
}
