package v1

// clusterField is a row of the tables below.
type clusterField = unsupportedField[ClusterSpec]

func unsupportedDaemonFields() []clusterField {
	return []clusterField{
		{"spec.external.enable", func(s *ClusterSpec) bool { return s.External.Enable }},
		{"spec.mon.stretchCluster", func(s *ClusterSpec) bool { return s.Mon.StretchCluster != nil }},
		{"spec.mon.floatingMon", func(s *ClusterSpec) bool { return s.Mon.FloatingMon != nil }},
		{"spec.cephConfigFromSecret", func(s *ClusterSpec) bool { return len(s.CephConfigFromSecret) > 0 }},
	}
}

func unsupportedNetworkFields() []clusterField {
	return []clusterField{
		{"spec.network.provider", func(s *ClusterSpec) bool { return s.Network.Provider == NetworkProviderMultus }},
		{"spec.network.selectors", func(s *ClusterSpec) bool { return len(s.Network.Selectors) > 0 }},
		{"spec.network.addressRanges", func(s *ClusterSpec) bool {
			r := s.Network.AddressRanges
			return r != nil && len(r.Public)+len(r.Cluster) > 0
		}},
		{"spec.network.ipFamily", func(s *ClusterSpec) bool { return s.Network.IPFamily == IPv6 }},
		{"spec.network.dualStack", func(s *ClusterSpec) bool { return s.Network.DualStack }},
		{"spec.network.multiClusterService", func(s *ClusterSpec) bool { return s.Network.MultiClusterService.Enabled }},
	}
}

func unsupportedStorageFields() []clusterField {
	return []clusterField{
		{"spec.storage.storageClassDeviceSets", func(s *ClusterSpec) bool { return len(s.Storage.StorageClassDeviceSets) > 0 }},
		{"spec.storage.volumeClaimTemplates", func(s *ClusterSpec) bool { return len(s.Storage.VolumeClaimTemplates) > 0 }},
		{"spec.storage.nodes[*].volumeClaimTemplates", func(s *ClusterSpec) bool {
			for _, node := range s.Storage.Nodes {
				if len(node.VolumeClaimTemplates) > 0 {
					return true
				}
			}
			return false
		}},
		{"spec.storage.migration", func(s *ClusterSpec) bool { return s.Storage.Migration.Confirmation != "" }},
		{"spec.storage.store.type", func(s *ClusterSpec) bool { return s.Storage.Store.Type == StoreTypeBlueStoreRDR }},
		{"spec.storage.store.updateStore", func(s *ClusterSpec) bool { return s.Storage.Store.UpdateStore != "" }},
		{"spec.storage.flappingRestartIntervalHours", func(s *ClusterSpec) bool {
			return differs(s.Storage.FlappingRestartIntervalHours, DefaultFlappingRestartHours)
		}},
		{"spec.storage.fullRatio", func(s *ClusterSpec) bool { return differs(s.Storage.FullRatio, DefaultFullRatio) }},
		{"spec.storage.nearFullRatio", func(s *ClusterSpec) bool { return differs(s.Storage.NearFullRatio, DefaultNearFullRatio) }},
		{"spec.storage.backfillFullRatio", func(s *ClusterSpec) bool {
			return differs(s.Storage.BackfillFullRatio, DefaultBackfillFullRatio)
		}},
		{"spec.storage.allowDeviceClassUpdate", func(s *ClusterSpec) bool { return s.Storage.AllowDeviceClassUpdate }},
		{"spec.storage.allowOsdCrushWeightUpdate", func(s *ClusterSpec) bool { return s.Storage.AllowOsdCrushWeightUpdate }},
		{"spec.storage.osdMaxUpdatesInParallel", func(s *ClusterSpec) bool {
			n := s.Storage.OSDMaxUpdatesInParallel
			return n != 0 && n != DefaultOSDMaxUpdatesInParallel
		}},
		{"spec.removeOSDsIfOutAndSafeToRemove", func(s *ClusterSpec) bool { return s.RemoveOSDsIfOutAndSafeToRemove }},
	}
}

func unsupportedSecurityFields() []clusterField {
	rotates := func(c CephxConfig) bool { return c.KeyRotationPolicy == KeyGenerationCephxKeyRotationPolicy }
	return []clusterField{
		{"spec.security.kms", func(s *ClusterSpec) bool {
			kms := s.Security.KeyManagementService
			return len(kms.ConnectionDetails) > 0 || kms.TokenSecretName != ""
		}},
		{"spec.security.keyRotation", func(s *ClusterSpec) bool { return s.Security.KeyRotation.Enabled }},
		{"spec.security.cephx.allowedCiphers", func(s *ClusterSpec) bool { return len(s.Security.CephX.AllowedCiphers) > 0 }},
		{"spec.security.cephx.daemon", func(s *ClusterSpec) bool { return rotates(s.Security.CephX.Daemon) }},
		{"spec.security.cephx.rbdMirrorPeer", func(s *ClusterSpec) bool { return rotates(s.Security.CephX.RBDMirrorPeer) }},
		{"spec.security.cephx.csi", func(s *ClusterSpec) bool { return rotates(s.Security.CephX.CSI.CephxConfig) }},
		{"spec.csi.readAffinity", func(s *ClusterSpec) bool { return s.CSI.ReadAffinity.Enabled }},
	}
}

func unsupportedUpkeepFields() []clusterField {
	return []clusterField{
		{"spec.disruptionManagement.osdMaintenanceTimeout", func(s *ClusterSpec) bool {
			return s.OSDMaintenance() != DefaultOSDMaintenanceTimeout
		}},
		{"spec.disruptionManagement.pgHealthyRegex", func(s *ClusterSpec) bool {
			return s.PGHealthyRegex() != DefaultPGHealthyRegex
		}},
		{"spec.skipUpgradeChecks", func(s *ClusterSpec) bool { return s.SkipUpgradeChecks }},
		{"spec.continueUpgradeAfterChecksEvenIfNotHealthy", func(s *ClusterSpec) bool {
			return s.ContinueUpgradeAfterChecksEvenIfNotHealthy
		}},
		{"spec.waitTimeoutForHealthyOSDInMinutes", func(s *ClusterSpec) bool {
			return s.HealthyOSDTimeout() != DefaultHealthyOSDTimeout
		}},
		{"spec.upgradeOSDRequiresHealthyPGs", func(s *ClusterSpec) bool { return s.UpgradeOSDRequiresHealthyPGs }},
		{"spec.cleanupPolicy.sanitizeDisks", func(s *ClusterSpec) bool {
			disks := s.CleanupPolicy.SanitizeDisks
			return disks.Method == SanitizeMethodComplete || disks.DataSource == SanitizeDataSourceRandom || disks.Iteration > 1
		}},
		{"spec.cleanupPolicy.wipeDevicesFromOtherClusters", func(s *ClusterSpec) bool {
			return s.CleanupPolicy.WipeDevicesFromOtherClusters
		}},
		{"spec.logCollector", func(s *ClusterSpec) bool { return s.LogCollector.Enabled }},
		{"spec.crashCollector.daysToRetain", func(s *ClusterSpec) bool { return s.CrashCollector.DaysToRetain > 0 }},
	}
}

func unsupportedMonitoringFields() []clusterField {
	return []clusterField{
		{"spec.monitoring.enabled", func(s *ClusterSpec) bool { return s.Monitoring.Enabled }},
		{"spec.monitoring.externalMgrEndpoints", func(s *ClusterSpec) bool { return len(s.Monitoring.ExternalMgrEndpoints) > 0 }},
		{"spec.monitoring.metricsTLS", func(s *ClusterSpec) bool { return s.Monitoring.MetricsTLS.Enabled }},
		{"spec.monitoring.exporter.perfCountersPrioLimit", func(s *ClusterSpec) bool {
			e := s.Monitoring.Exporter
			return e != nil && differs(e.PerfCountersPrioLimit, DefaultExporterPrioLimit)
		}},
		{"spec.monitoring.exporter.statsPeriodSeconds", func(s *ClusterSpec) bool {
			e := s.Monitoring.Exporter
			return e != nil && differs(e.StatsPeriodSeconds, int64(DefaultExporterStatsPeriod.Seconds()))
		}},
		{"spec.monitoring.exporter.port", func(s *ClusterSpec) bool {
			e := s.Monitoring.Exporter
			return e != nil && differs(e.Port, DefaultExporterPort)
		}},
		{"spec.monitoring.exporter.hostNetwork", func(s *ClusterSpec) bool {
			e := s.Monitoring.Exporter
			return e != nil && e.HostNetwork != nil
		}},
	}
}

// differs tells whether a value is set and is not the default.
func differs[T comparable](value *T, standard T) bool {
	return value != nil && *value != standard
}
