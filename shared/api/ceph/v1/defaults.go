package v1

import (
	"strconv"
	"time"
)

// What a cluster is made with when the spec does not say. Defaults apply in
// memory; they are never written into an object.
const (
	DefaultMonCount                = 3
	DefaultMgrCount                = 1
	DefaultDashboardPort           = 7000
	DefaultDashboardSSLPort        = 8443
	DefaultMetricsPort             = 9283
	DefaultExporterPort            = 9926
	DefaultExporterPrioLimit       = 5
	DefaultExporterStatsPeriod     = 5 * time.Second
	DefaultMonHealthInterval       = 45 * time.Second
	DefaultMonOutTimeout           = 10 * time.Minute
	DefaultOSDHealthInterval       = 60 * time.Second
	DefaultStatusInterval          = 60 * time.Second
	DefaultOSDMaintenanceTimeout   = 30 * time.Minute
	DefaultHealthyOSDTimeout       = 10 * time.Minute
	DefaultOSDMaxUpdatesInParallel = 20
	DefaultFlappingRestartHours    = 24
	DefaultFullRatio               = 0.95
	DefaultBackfillFullRatio       = 0.90
	DefaultNearFullRatio           = 0.85

	// DefaultPGHealthyRegex matches the states of a placement group that serves
	// with all its copies.
	DefaultPGHealthyRegex = `^active(\+(clean|deep|scrubbing|snaptrim|snaptrim_wait))+$`
)

// MonCount is the number of monitors to run: 0 for an external cluster.
func (s *ClusterSpec) MonCount() int {
	switch {
	case s.External.Enable:
		return 0
	case s.Mon.Count == 0:
		return DefaultMonCount
	}
	return int(s.Mon.Count)
}

// MgrCount is the number of managers to run: 0 for an external cluster.
func (s *ClusterSpec) MgrCount() int {
	switch {
	case s.External.Enable:
		return 0
	case s.Mgr.Count == 0:
		return DefaultMgrCount
	}
	return int(s.Mgr.Count)
}

// DestroysData tells whether the user confirmed that deleting the cluster erases
// its data. From then on nothing is set up any more.
func (s *ClusterSpec) DestroysData() bool {
	return s.CleanupPolicy.Confirmation == DestroyDataConfirmation
}

// HealthyOSDTimeout is how long to wait until an OSD may be stopped.
func (s *ClusterSpec) HealthyOSDTimeout() time.Duration {
	return minutes(s.WaitTimeoutForHealthyOSDInMinutes, DefaultHealthyOSDTimeout)
}

// OSDMaintenance is for how long a drained failure domain is kept from being
// marked out.
func (s *ClusterSpec) OSDMaintenance() time.Duration {
	return minutes(s.DisruptionManagement.OSDMaintenanceTimeout, DefaultOSDMaintenanceTimeout)
}

// PGHealthyRegex is what the states of healthy placement groups match.
func (s *ClusterSpec) PGHealthyRegex() string {
	if s.DisruptionManagement.PGHealthyRegex == "" {
		return DefaultPGHealthyRegex
	}
	return s.DisruptionManagement.PGHealthyRegex
}

// MonOutTimeout is how long a monitor may be out of quorum before it is
// replaced. A value that is no duration counts as unset; admission refuses it.
func (s *ClusterSpec) MonOutTimeout() time.Duration {
	timeout, err := time.ParseDuration(s.HealthCheck.DaemonHealth.Monitor.Timeout)
	if err != nil || timeout <= 0 {
		return DefaultMonOutTimeout
	}
	return timeout
}

// UsesHostNetwork tells whether daemons use their node's network.
func (n NetworkSpec) UsesHostNetwork() bool {
	return n.Provider == NetworkProviderHost || (n.Provider == NetworkProviderDefault && n.HostNetwork)
}

// Encrypts tells whether connections are encrypted.
func (n NetworkSpec) Encrypts() bool {
	return n.Connections != nil && n.Connections.Encryption != nil && n.Connections.Encryption.Enabled
}

// Compresses tells whether connections are compressed.
func (n NetworkSpec) Compresses() bool {
	return n.Connections != nil && n.Connections.Compression != nil && n.Connections.Compression.Enabled
}

// RequiresMsgr2 tells whether the old protocol is off. Encryption and
// compression exist in the newer one only.
func (n NetworkSpec) RequiresMsgr2() bool {
	return n.Encrypts() || n.Compresses() || (n.Connections != nil && n.Connections.RequireMsgr2)
}

// UsesHostNetwork tells whether managers use their node's network.
func (m MgrSpec) UsesHostNetwork(network NetworkSpec) bool {
	if m.HostNetwork != nil {
		return *m.HostNetwork
	}
	return network.UsesHostNetwork()
}

// ListenPort is the port of the dashboard.
func (d DashboardSpec) ListenPort() int32 {
	switch {
	case d.Port > 0:
		return d.Port
	case d.SSL:
		return DefaultDashboardSSLPort
	}
	return DefaultDashboardPort
}

// MetricsPort is the port of the managers' metrics.
func (m MonitoringSpec) MetricsPort() int32 {
	if m.Port > 0 {
		return m.Port
	}
	return DefaultMetricsPort
}

// OSDsPerDevice is how many OSDs share a device. A value that is no number
// counts as unset; admission refuses it.
func (c OSDConfig) OSDsPerDevice() int {
	n, err := strconv.Atoi(c[OSDConfigOSDsPerDevice])
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// Encrypted tells whether the data is to be encrypted.
func (c OSDConfig) Encrypted() bool {
	return c[OSDConfigEncryptedDevice] == "true"
}

// Over gives these settings on top of wider ones, such as a node's on top of the
// cluster's. Neither is changed.
func (c OSDConfig) Over(wider OSDConfig) OSDConfig {
	merged := make(OSDConfig, len(c)+len(wider))
	for _, layer := range []OSDConfig{wider, c} {
		for key, value := range layer {
			merged[key] = value
		}
	}
	return merged
}

// IsReplicated tells whether the pool keeps whole copies.
func (p PoolSpec) IsReplicated() bool {
	return p.Replicated.Size > 0
}

// IsErasureCoded tells whether the pool keeps data and coding chunks.
func (p PoolSpec) IsErasureCoded() bool {
	return p.ErasureCoded.DataChunks > 0 || p.ErasureCoded.CodingChunks > 0
}

// FailureDomainOrDefault is the CRUSH type across which data spreads.
func (p PoolSpec) FailureDomainOrDefault() string {
	if p.FailureDomain == "" {
		return DefaultFailureDomain
	}
	return p.FailureDomain
}

// CrushRootOrDefault is the CRUSH bucket below which data is kept.
func (p PoolSpec) CrushRootOrDefault() string {
	if p.CrushRoot == "" {
		return DefaultCRUSHRoot
	}
	return p.CrushRoot
}

// CompressionModeOrUnset is the compression mode, by parameter or by the
// deprecated field; empty if neither is set.
func (p PoolSpec) CompressionModeOrUnset() string {
	if mode := p.Parameters["compression_mode"]; mode != "" {
		return mode
	}
	return p.CompressionMode
}

// PoolName is the name of the pool in Ceph.
func (p *CephBlockPool) PoolName() string {
	if p.Spec.Name != "" {
		return p.Spec.Name
	}
	return p.Name
}

// minutes gives a number of minutes, or a default for 0.
func minutes(n int64, otherwise time.Duration) time.Duration {
	if n == 0 {
		return otherwise
	}
	return time.Duration(n) * time.Minute
}
