package v1

// Reasons of conditions. A reason is also the reason of the event about the same
// change.
const (
	// ReasonAsExpected means that the statement is true as the spec wants it.
	ReasonAsExpected = "AsExpected"
	// ReasonError means an unexpected failure that is retried.
	ReasonError = "Error"
	// ReasonPending means that nobody has looked yet.
	ReasonPending = "Pending"
	// ReasonWaiting means waiting for another service.
	ReasonWaiting = "Waiting"
	// ReasonNotRequested means that the spec does not ask for it.
	ReasonNotRequested = "NotRequested"
	// ReasonInvalidSpec means that only a change of the spec helps.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonUnsupportedFields means that the spec sets fields nobody acts on yet.
	ReasonUnsupportedFields = "UnsupportedFields"
	// ReasonPaused means that a label or annotation asked for a pause.
	ReasonPaused = "Paused"

	// ReasonImageMissing means that no image is specified or pulled.
	ReasonImageMissing = "ImageMissing"
	// ReasonImageUnsupported means that the image's Ceph is too old or too new.
	ReasonImageUnsupported = "ImageUnsupported"
	// ReasonDetectingVersion means that the image's version is being read.
	ReasonDetectingVersion = "DetectingVersion"
	// ReasonUpgrading means that daemons are being rolled to another version.
	ReasonUpgrading = "Upgrading"
	// ReasonDisrupted means that another service holds the disruption token.
	ReasonDisrupted = "DisruptionHeld"

	// ReasonIdentityLost means that a Secret of the cluster's identity is missing.
	ReasonIdentityLost = "IdentityLost"
	// ReasonMonitorsStarting means that monitor pods are not running yet.
	ReasonMonitorsStarting = "MonitorsStarting"
	// ReasonMonitorsUnschedulable means that no node may run a monitor.
	ReasonMonitorsUnschedulable = "MonitorsUnschedulable"
	// ReasonMonitorsOutOfQuorum means that monitors run outside of the quorum.
	ReasonMonitorsOutOfQuorum = "MonitorsOutOfQuorum"
	// ReasonQuorumLost means that no majority of monitors answers.
	ReasonQuorumLost = "QuorumLost"
	// ReasonStaleMonitors means that the monitor map holds monitors that are gone.
	ReasonStaleMonitors = "StaleMonitors"
	// ReasonManagersStarting means that no manager is active yet.
	ReasonManagersStarting = "ManagersStarting"
	// ReasonModulesMissing means that required modules are off.
	ReasonModulesMissing = "ModulesMissing"

	// ReasonOSDsStarting means that OSD pods are not up yet.
	ReasonOSDsStarting = "OSDsStarting"
	// ReasonOSDsPreparing means that disks are being prepared.
	ReasonOSDsPreparing = "OSDsPreparing"
	// ReasonOSDsDown means that OSDs are down.
	ReasonOSDsDown = "OSDsDown"
	// ReasonNoDisks means that the selection matches no usable disk.
	ReasonNoDisks = "NoDisks"
	// ReasonPreparationFailed means that preparing disks failed.
	ReasonPreparationFailed = "PreparationFailed"
	// ReasonPGsInactive means that placement groups are inactive.
	ReasonPGsInactive = "PlacementGroupsInactive"

	// ReasonFilesystemsStarting means that ranks of a file system are not served.
	ReasonFilesystemsStarting = "FilesystemsStarting"
	// ReasonStandbysStarting means that every rank is served, and that metadata
	// servers that could take over are not there yet.
	ReasonStandbysStarting = "StandbysStarting"
	// ReasonScaling means that the number of ranks is being changed.
	ReasonScaling = "Scaling"
	// ReasonQuotaBelowUse means that a quota is smaller than what is used.
	ReasonQuotaBelowUse = "QuotaBelowUse"

	// ReasonGatewaysStarting means that gateways of a store do not answer yet.
	ReasonGatewaysStarting = "GatewaysStarting"
	// ReasonGatewayUnreachable means that no gateway of a store answers us.
	ReasonGatewayUnreachable = "GatewayUnreachable"
	// ReasonGatewayRefused means that a gateway refused what was asked of it.
	ReasonGatewayRefused = "GatewayRefused"
	// ReasonSettingUp means that a setup Job is making realm, zone group and zone.
	ReasonSettingUp = "SettingUp"
	// ReasonSetupFailed means that the setup Job failed; it is tried again.
	ReasonSetupFailed = "SetupFailed"
	// ReasonParentMissing means that the object that this one belongs to, such as
	// the store of a user or the realm of a zone group, does not exist.
	ReasonParentMissing = "ParentMissing"
	// ReasonParentNotReady means that the object that this one belongs to is not
	// ready.
	ReasonParentNotReady = "ParentNotReady"
	// ReasonSecretMissing means that a Secret that the spec names does not exist.
	ReasonSecretMissing = "SecretMissing"
	// ReasonSecretInvalid means that a Secret lacks a key or holds a wrong one.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonPoolMissing means that a pool that the spec names does not exist.
	ReasonPoolMissing = "PoolMissing"
	// ReasonTooFewFailureDomains means that the cluster lacks the places that a pool
	// needs to serve, so that it is not made.
	ReasonTooFewFailureDomains = "TooFewFailureDomains"
	// ReasonNameTaken means that what was to be made exists and is not ours.
	ReasonNameTaken = "NameTaken"
	// ReasonKeyTaken means that another user has the access key.
	ReasonKeyTaken = "AccessKeyTaken"
	// ReasonNamespaceNotAllowed means that a store wants no users in the namespace.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonConfigNotAllowed means that a claim sets what its class does not allow.
	ReasonConfigNotAllowed = "ConfigNotAllowed"
	// ReasonBucketsExist means that buckets keep something from being deleted.
	ReasonBucketsExist = "BucketsExist"
	// ReasonDeletingObjects means that the objects of a bucket are being deleted.
	ReasonDeletingObjects = "DeletingObjects"
	// ReasonSyncBehind means that a zone is still copying from others.
	ReasonSyncBehind = "SyncBehind"
	// ReasonSyncFailed means that a zone cannot copy from others.
	ReasonSyncFailed = "SyncFailed"

	// ReasonPoolNotEmpty means that a pool holds images or snapshots.
	ReasonPoolNotEmpty = "PoolNotEmpty"
	// ReasonPoolEmpty means that a pool holds no image and no snapshot.
	ReasonPoolEmpty = "PoolEmpty"
	// ReasonDependents means that other objects still need this one.
	ReasonDependents = "ObjectHasDependents"
	// ReasonNoDependents means that no other object needs this one.
	ReasonNoDependents = "ObjectHasNoDependents"
	// ReasonDrift means that Ceph differs from the spec and is left so.
	ReasonDrift = "Drift"

	// Reasons that other tools know.

	// ReasonClusterCreated is the reason of a cluster that was set up.
	ReasonClusterCreated = "ClusterCreated"
	// ReasonClusterConnected is the reason of a connected external cluster.
	ReasonClusterConnected = "ClusterConnected"
	// ReasonClusterProgressing is the reason of a cluster being set up.
	ReasonClusterProgressing = "ClusterProgressing"
	// ReasonClusterConnecting is the reason of an external cluster being connected.
	ReasonClusterConnecting = "ClusterConnecting"
	// ReasonClusterDeleting is the reason of a cluster being deleted.
	ReasonClusterDeleting = "ClusterDeleting"
)
