package v1_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// unsupportedCluster maps each reported path to a spec that is reported with
// that path alone.
func unsupportedCluster() map[string]string {
	return map[string]string{
		"spec.external.enable":                                   `external: {enable: true}`,
		"spec.mon.stretchCluster":                                `mon: {stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
		"spec.mon.floatingMon":                                   `mon: {floatingMon: {name: c}}`,
		"spec.cephConfigFromSecret":                              `cephConfigFromSecret: {global: {x: {name: s, key: k}}}`,
		"spec.network.provider":                                  `network: {provider: multus}`,
		"spec.network.selectors":                                 `network: {selectors: {public: net}}`,
		"spec.network.addressRanges":                             `network: {addressRanges: {public: [10.0.0.0/8]}}`,
		"spec.network.ipFamily":                                  `network: {ipFamily: IPv6}`,
		"spec.network.dualStack":                                 `network: {dualStack: true}`,
		"spec.network.multiClusterService":                       `network: {multiClusterService: {enabled: true, clusterID: a}}`,
		"spec.storage.storageClassDeviceSets":                    `storage: {storageClassDeviceSets: [{name: s, count: 1, volumeClaimTemplates: [{}]}]}`,
		"spec.storage.volumeClaimTemplates":                      `storage: {volumeClaimTemplates: [{}]}`,
		"spec.storage.nodes[*].volumeClaimTemplates":             `storage: {nodes: [{name: a, volumeClaimTemplates: [{}]}]}`,
		"spec.storage.migration":                                 `storage: {migration: {confirmation: yes-really-migrate-osds}}`,
		"spec.storage.store.type":                                `storage: {store: {type: bluestore-rdr}}`,
		"spec.storage.store.updateStore":                         `storage: {store: {updateStore: yes-really-update-store}}`,
		"spec.storage.flappingRestartIntervalHours":              `storage: {flappingRestartIntervalHours: 0}`,
		"spec.storage.fullRatio":                                 `storage: {fullRatio: 0.8}`,
		"spec.storage.nearFullRatio":                             `storage: {nearFullRatio: 0.7}`,
		"spec.storage.backfillFullRatio":                         `storage: {backfillFullRatio: 0.75}`,
		"spec.storage.allowDeviceClassUpdate":                    `storage: {allowDeviceClassUpdate: true}`,
		"spec.storage.allowOsdCrushWeightUpdate":                 `storage: {allowOsdCrushWeightUpdate: true}`,
		"spec.storage.osdMaxUpdatesInParallel":                   `storage: {osdMaxUpdatesInParallel: 3}`,
		"spec.removeOSDsIfOutAndSafeToRemove":                    `removeOSDsIfOutAndSafeToRemove: true`,
		"spec.security.kms":                                      `security: {kms: {connectionDetails: {KMS_PROVIDER: vault}}}`,
		"spec.security.keyRotation":                              `security: {keyRotation: {enabled: true}}`,
		"spec.security.cephx.allowedCiphers":                     `security: {cephx: {allowedCiphers: [aes]}}`,
		"spec.security.cephx.daemon":                             `security: {cephx: {daemon: {keyRotationPolicy: KeyGeneration, keyGeneration: 2}}}`,
		"spec.security.cephx.rbdMirrorPeer":                      `security: {cephx: {rbdMirrorPeer: {keyRotationPolicy: KeyGeneration}}}`,
		"spec.security.cephx.csi":                                `security: {cephx: {csi: {keyRotationPolicy: KeyGeneration}}}`,
		"spec.csi.readAffinity":                                  `csi: {readAffinity: {enabled: true}}`,
		"spec.disruptionManagement.osdMaintenanceTimeout":        `disruptionManagement: {osdMaintenanceTimeout: 5}`,
		"spec.disruptionManagement.pgHealthyRegex":               `disruptionManagement: {pgHealthyRegex: ^active}`,
		"spec.skipUpgradeChecks":                                 `skipUpgradeChecks: true`,
		"spec.continueUpgradeAfterChecksEvenIfNotHealthy":        `continueUpgradeAfterChecksEvenIfNotHealthy: true`,
		"spec.waitTimeoutForHealthyOSDInMinutes":                 `waitTimeoutForHealthyOSDInMinutes: 1`,
		"spec.upgradeOSDRequiresHealthyPGs":                      `upgradeOSDRequiresHealthyPGs: true`,
		"spec.cleanupPolicy.sanitizeDisks":                       `cleanupPolicy: {sanitizeDisks: {method: complete}}`,
		"spec.cleanupPolicy.wipeDevicesFromOtherClusters":        `cleanupPolicy: {wipeDevicesFromOtherClusters: true}`,
		"spec.logCollector":                                      `logCollector: {enabled: true}`,
		"spec.crashCollector.daysToRetain":                       `crashCollector: {daysToRetain: 3}`,
		"spec.monitoring.enabled":                                `monitoring: {enabled: true}`,
		"spec.monitoring.externalMgrEndpoints":                   `monitoring: {externalMgrEndpoints: [{ip: 1.2.3.4}]}`,
		"spec.monitoring.metricsTLS":                             `monitoring: {metricsTLS: {enabled: true}}`,
		"spec.monitoring.exporter.perfCountersPrioLimit":         `monitoring: {exporter: {perfCountersPrioLimit: 0}}`,
		"spec.monitoring.exporter.statsPeriodSeconds":            `monitoring: {exporter: {statsPeriodSeconds: 9}}`,
		"spec.monitoring.exporter.port":                          `monitoring: {exporter: {port: 1}}`,
		"spec.monitoring.exporter.hostNetwork":                   `monitoring: {exporter: {hostNetwork: true}}`,
		"spec.storage.config.metadataDevice":                     `storage: {config: {metadataDevice: md0}}`,
		"spec.storage.config.databaseSizeMB":                     `storage: {config: {databaseSizeMB: "1024"}}`,
		"spec.storage.config.osdsPerDevice":                      `storage: {config: {osdsPerDevice: "2"}}`,
		"spec.storage.config.encryptedDevice":                    `storage: {config: {encryptedDevice: "true"}}`,
		"spec.storage.config.storeTyp":                           `storage: {config: {storeTyp: bluestore}}`,
		"spec.storage.devices[*].config.walSizeMB":               `storage: {devices: [{name: sdb, config: {walSizeMB: "1"}}]}`,
		"spec.storage.nodes[*].config.metadataDevice":            `storage: {nodes: [{name: a, config: {metadataDevice: md0}}, {name: b, config: {metadataDevice: md1}}]}`,
		"spec.storage.nodes[*].devices[*].config.metadataDevice": `storage: {nodes: [{name: a, devices: [{name: sdb, config: {metadataDevice: md0}}]}]}`,
		"spec.placement.mons":                                    `placement: {mons: {}}`,
		"spec.annotations.mons":                                  `annotations: {mons: {a: b}}`,
		"spec.labels.mons":                                       `labels: {mons: {a: b}}`,
		"spec.priorityClassNames.mons":                           `priorityClassNames: {mons: x}`,
		"spec.resources.mons":                                    `resources: {mons: {}}`,
	}
}

func TestUnsupportedFieldsNamesWhatIsSet(t *testing.T) {
	for want, text := range unsupportedCluster() {
		t.Run(want, func(t *testing.T) {
			var spec api.ClusterSpec
			decode(t, text, &spec)
			if diff := cmp.Diff([]string{want}, api.UnsupportedFields(&spec)); diff != "" {
				t.Errorf("UnsupportedFields(%s) (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestUnsupportedFieldsIsSilentAboutDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"nothing set": `{}`,
		"defaults written out": `
external: {enable: false}
skipUpgradeChecks: false
waitTimeoutForHealthyOSDInMinutes: 10
disruptionManagement: {managePodBudgets: true, osdMaintenanceTimeout: 30, pgHealthCheckTimeout: 0}
mgr: {count: 2, modules: [{name: rook, enabled: true}]}
network: {provider: host, ipFamily: IPv4, connections: {requireMsgr2: true}, multiClusterService: {enabled: false}}
monitoring: {enabled: false, metricsDisabled: false, exporter: {perfCountersPrioLimit: 5, statsPeriodSeconds: 5, port: 9926}}
cleanupPolicy: {confirmation: "", sanitizeDisks: {method: quick, dataSource: zero, iteration: 1}}
storage:
  useAllNodes: true
  useAllDevices: true
  scheduleAlways: true
  config: {osdsPerDevice: "1", encryptedDevice: "false", deviceClass: fast, metadataDevice: ""}
  store: {type: bluestore}
  flappingRestartIntervalHours: 24
  fullRatio: 0.95
  nearFullRatio: 0.85
  backfillFullRatio: 0.9
  osdMaxUpdatesInParallel: 20
security: {cephx: {daemon: {keyRotationPolicy: Disabled}}}
csi: {cephfs: {kernelMountOptions: ms_mode=crc, fuseMountOptions: noatime}}
placement: {all: {}, prepareosd: {}}
resources: {osd-fast: {}, mgr-sidecar: {}, cmd-reporter: {}}
`,
	} {
		t.Run(name, func(t *testing.T) {
			var spec api.ClusterSpec
			decode(t, text, &spec)
			if got := api.UnsupportedFields(&spec); len(got) > 0 {
				t.Errorf("UnsupportedFields = %v, want none", got)
			}
		})
	}
}

func TestUnsupportedFieldsIsSortedWithoutRepetition(t *testing.T) {
	var spec api.ClusterSpec
	decode(t, `{external: {enable: true}, csi: {readAffinity: {enabled: true}}, logCollector: {enabled: true}}`, &spec)
	spec.Resources = api.ResourceSpec{"x": corev1.ResourceRequirements{}, "a": corev1.ResourceRequirements{}}
	got := api.UnsupportedFields(&spec)
	if !slices.IsSorted(got) || len(got) != 5 {
		t.Errorf("UnsupportedFields = %v, want 5 sorted paths", got)
	}
}

func TestUnsupportedPoolFieldsNamesWhatIsSet(t *testing.T) {
	for want, text := range map[string]string{
		"spec.mirroring":                              `mirroring: {enabled: true, mode: image}`,
		"spec.enableRBDStats":                         `enableRBDStats: true`,
		"spec.replicated.hybridStorage":               `replicated: {size: 3, hybridStorage: {primaryDeviceClass: ssd, secondaryDeviceClass: hdd}}`,
		"spec.replicated.replicasPerFailureDomain":    `replicated: {size: 4, replicasPerFailureDomain: 2}`,
		"spec.replicated.subFailureDomain":            `replicated: {size: 4, subFailureDomain: host}`,
		"spec.erasureCoded.crushNumFailureDomains":    `erasureCoded: {dataChunks: 2, codingChunks: 1, crushNumFailureDomains: 3}`,
		"spec.erasureCoded.crushOSDsPerFailureDomain": `erasureCoded: {dataChunks: 2, codingChunks: 1, crushOSDsPerFailureDomain: 1}`,
	} {
		t.Run(want, func(t *testing.T) {
			var spec api.PoolSpec
			decode(t, text, &spec)
			if diff := cmp.Diff([]string{want}, api.UnsupportedPoolFields(&spec)); diff != "" {
				t.Errorf("UnsupportedPoolFields(%s) (-want +got):\n%s", text, diff)
			}
		})
	}
	quiet := api.PoolSpec{Replicated: api.ReplicatedSpec{Size: 3, ReplicasPerFailureDomain: 1}, Mirroring: api.MirroringSpec{Mode: "image"}}
	if got := api.UnsupportedPoolFields(&quiet); len(got) > 0 {
		t.Errorf("UnsupportedPoolFields = %v, want none", got)
	}
}

func TestUnsupportedFilesystemFieldsNamesWhatIsSet(t *testing.T) {
	var spec api.FilesystemSpec
	decode(t, `
metadataPool: {replicated: {size: 4, subFailureDomain: host}}
dataPools:
- {replicated: {size: 3}, mirroring: {enabled: true, mode: image}}
- {replicated: {size: 3}, mirroring: {enabled: true, mode: image}}
mirroring: {enabled: true}
metadataServer: {activeCount: 1}
`, &spec)
	want := []string{"spec.dataPools[*].mirroring", "spec.metadataPool.replicated.subFailureDomain", "spec.mirroring"}
	if diff := cmp.Diff(want, api.UnsupportedFilesystemFields(&spec)); diff != "" {
		t.Errorf("UnsupportedFilesystemFields (-want +got):\n%s", diff)
	}
	spec = api.FilesystemSpec{DataPools: []api.NamedPoolSpec{{}}, Mirroring: &api.FSMirroringSpec{}}
	if got := api.UnsupportedFilesystemFields(&spec); len(got) > 0 {
		t.Errorf("UnsupportedFilesystemFields = %v, want none", got)
	}
}

func TestUnsupportedMessageNamesThePaths(t *testing.T) {
	if got := api.UnsupportedMessage(nil); got != "" {
		t.Errorf("UnsupportedMessage(nil) = %q, want it empty", got)
	}
	want := "Accepted, but nothing acts on it yet: spec.a, spec.b"
	if got := api.UnsupportedMessage([]string{"spec.a", "spec.b"}); got != want {
		t.Errorf("UnsupportedMessage = %q, want %q", got, want)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
}
