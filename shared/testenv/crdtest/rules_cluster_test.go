//go:build envtest

package crdtest

// rule is one thing that admission refuses. Good and bad are specs (or statuses)
// in YAML that differ in that one thing.
type rule struct {
	name string
	// before is what is stored, for rules about changes.
	before string
	good   string
	bad    string
	// field is the path that the refusal names.
	field string
	// says is a part of the refusal that names the field and the fix.
	says string
	// badName begins the name of the bad object, for rules about names.
	badName string
}

func clusterRules() []rule {
	return []rule{
		{
			name: "the directory on the hosts never changes", before: `dataDirHostPath: /var/lib/rook`,
			good: `dataDirHostPath: /var/lib/rook`, bad: `dataDirHostPath: /var/lib/other`,
			field: "spec.dataDirHostPath", says: "`dataDirHostPath` must not change once set",
		},
		{
			name: "the image is never taken away", before: `cephVersion: {image: "quay.io/ceph/ceph:v18"}`,
			good: `cephVersion: {image: "quay.io/ceph/ceph:v19"}`, bad: `cephVersion: {image: ""}`,
			field: "spec.cephVersion", says: "set it to the Ceph image to run",
		},
		{
			name: "the directory on the hosts is never removed", before: `dataDirHostPath: /var/lib/rook`,
			good: `{dataDirHostPath: /var/lib/rook, skipUpgradeChecks: true}`, bad: `skipUpgradeChecks: true`,
			field: "spec.dataDirHostPath", says: "set it back to its former value",
		},
		{
			name: "the directory on the hosts may be added", before: `skipUpgradeChecks: true`,
			good: `dataDirHostPath: /var/lib/rook`, bad: `dataDirHostPath: var/lib/rook`,
			field: "spec.dataDirHostPath", says: "should match",
		},
		{
			name: "the directory is not Ceph's own", good: `dataDirHostPath: /var/lib/rook`, bad: `dataDirHostPath: /etc/ceph/`,
			field: "spec.dataDirHostPath", says: "must not be /etc/ceph, /rook or /var/log/ceph, which Ceph's containers use themselves; use /var/lib/rook",
		},
		{name: "the directory is not the containers'", good: `dataDirHostPath: /rook-data`, bad: `dataDirHostPath: /rook`, field: "spec.dataDirHostPath", says: "use /var/lib/rook"},
		{name: "the directory is not that of logs", good: `dataDirHostPath: /var/log/rook`, bad: `dataDirHostPath: /var/log/ceph`, field: "spec.dataDirHostPath", says: "use /var/lib/rook"},
		{
			name: "the directory does not climb", good: `dataDirHostPath: /data/a..b`, bad: `dataDirHostPath: /data/../etc`,
			field: "spec.dataDirHostPath", says: "must not contain '..'; write the path without it",
		},
		{
			name: "no monitors only outside", good: `{mon: {count: 0}, external: {enable: true}}`, bad: `mon: {count: 0}`,
			field: "spec.mon.count", says: "`mon.count` may be 0 only when `external.enable` is true; set it to 3 or 5",
		},
		{name: "at most nine monitors", good: `mon: {count: 9}`, bad: `mon: {count: 10}`, field: "spec.mon.count", says: "less than or equal to 9"},
		{name: "an even number of monitors is accepted", good: `mon: {count: 4}`, bad: `mon: {count: -1}`, field: "spec.mon.count", says: "greater than or equal to 0"},
		{name: "at most five managers", good: `mgr: {count: 5}`, bad: `mgr: {count: 6}`, field: "spec.mgr.count", says: "less than or equal to 5"},
		{
			name: "a cluster stays here or outside", before: `external: {enable: false}`,
			good: `{external: {enable: false}, skipUpgradeChecks: true}`, bad: `external: {enable: true}`,
			field: "spec.external", says: "`external.enable` must not change; delete the CephCluster and create another one",
		},
		{
			name: "log files have a sensible size", good: `logCollector: {maxLogSize: 1M}`, bad: `logCollector: {maxLogSize: 999k}`,
			field: "spec.logCollector.maxLogSize", says: "must be at least 1M; use for example 500M",
		},
		{name: "log files may have a size in bytes", good: `logCollector: {maxLogSize: 1000000}`, bad: `logCollector: {maxLogSize: 5}`, field: "spec.logCollector.maxLogSize", says: "must be at least 1M"},
		{name: "rotation is a period", good: `logCollector: {periodicity: daily}`, bad: `logCollector: {periodicity: often}`, field: "spec.logCollector.periodicity", says: "should match"},
		{
			name: "the pattern of healthy groups compiles", good: `disruptionManagement: {pgHealthyRegex: "^active$"}`, bad: `disruptionManagement: {pgHealthyRegex: "("}`,
			field: "spec.disruptionManagement.pgHealthyRegex", says: "`disruptionManagement.pgHealthyRegex` must be a regular expression (RE2); correct it or leave it out",
		},
		{name: "confirmation is exact", good: `cleanupPolicy: {confirmation: yes-really-destroy-data}`, bad: `cleanupPolicy: {confirmation: "yes"}`, field: "spec.cleanupPolicy.confirmation", says: "yes-really-destroy-data"},
		{name: "disks are erased in known ways", good: `cleanupPolicy: {sanitizeDisks: {method: complete}}`, bad: `cleanupPolicy: {sanitizeDisks: {method: burn}}`, field: "spec.cleanupPolicy.sanitizeDisks.method", says: `"complete", "quick"`},
		{name: "ports are ports", good: `dashboard: {port: 65535}`, bad: `dashboard: {port: 65536}`, field: "spec.dashboard.port", says: "65535"},
		{name: "waiting times are positive", good: `waitTimeoutForHealthyOSDInMinutes: 0`, bad: `waitTimeoutForHealthyOSDInMinutes: -1`, field: "spec.waitTimeoutForHealthyOSDInMinutes", says: "greater than or equal to 0"},
		{name: "a timeout is a duration", good: `healthCheck: {daemonHealth: {mon: {timeout: 1h30m}}}`, bad: `healthCheck: {daemonHealth: {mon: {timeout: soon}}}`, field: "spec.healthCheck.daemonHealth.mon.timeout", says: "should match"},
		{name: "warnings are muted or not", good: `healthCheck: {muteHealthWarning: {A: {policy: mute}}}`, bad: `healthCheck: {muteHealthWarning: {A: {policy: hide}}}`, field: "spec.healthCheck.muteHealthWarning.A.policy", says: `"mute", "unmute"`},
		{
			name: "a key generation comes with the policy", good: `security: {cephx: {daemon: {keyRotationPolicy: KeyGeneration, keyGeneration: 2}}}`, bad: `security: {cephx: {daemon: {keyRotationPolicy: KeyGeneration}}}`,
			field: "spec.security.cephx.daemon.keyGeneration", says: "`keyGeneration` must be set when `keyRotationPolicy` is KeyGeneration; set it to one more than the status shows",
		},
		{
			name: "a key generation only grows", before: `security: {cephx: {csi: {keyGeneration: 3}}}`,
			good: `security: {cephx: {csi: {keyGeneration: 4}}}`, bad: `security: {cephx: {csi: {keyGeneration: 2}}}`,
			field: "spec.security.cephx.csi.keyGeneration", says: "`keyGeneration` must not become smaller; keep or raise it",
		},
	}
}

func monRules() []rule {
	return []rule{
		{
			name: "zones are given once", good: `mon: {stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
			bad:   `mon: {zones: [{name: a}], stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
			field: "spec.mon.zones", says: "`mon.zones` and `mon.stretchCluster` exclude each other; keep one of them",
		},
		{
			name: "a stretch cluster has three or five monitors", good: `mon: {count: 5, stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
			bad:   `mon: {count: 4, stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
			field: "spec.mon.count", says: "`mon.count` must be 3 or 5 in a stretch cluster; set it to 5",
		},
		{
			name: "a stretch cluster has one arbiter", good: `mon: {stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
			bad:   `mon: {stretchCluster: {zones: [{name: a, arbiter: true}, {name: b, arbiter: true}, {name: c}]}}`,
			field: "spec.mon.stretchCluster.zones", says: "must be three zones of which exactly one has `arbiter: true`",
		},
		{
			name: "a stretch cluster has three zones", good: `mon: {stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}, {name: c}]}}`,
			bad:   `mon: {stretchCluster: {zones: [{name: a, arbiter: true}, {name: b}]}}`,
			field: "spec.mon.stretchCluster.zones", says: "must be three zones",
		},
		{name: "zones are distinct", good: `mon: {zones: [{name: a}, {name: b}]}`, bad: `mon: {zones: [{name: a}, {name: a}]}`, field: "spec.mon.zones[1]", says: "Duplicate value"},
		{name: "modules are distinct", good: `mgr: {modules: [{name: a}, {name: b}]}`, bad: `mgr: {modules: [{name: a}, {name: a}]}`, field: "spec.mgr.modules[1]", says: "Duplicate value"},
	}
}

func networkRules() []rule {
	return []rule{
		{
			name: "address ranges are ranges", good: `network: {addressRanges: {public: [10.0.0.0/8, "fd00::/64"]}}`, bad: `network: {addressRanges: {public: [10.0.0.0]}}`,
			field: "spec.network.addressRanges.public[0]", says: "`network.addressRanges` must hold address ranges such as 192.168.0.0/24",
		},
		{
			name: "multus names a network", good: `network: {provider: multus, selectors: {public: a}}`, bad: `network: {provider: multus}`,
			field: "spec.network.selectors", says: "`network.selectors` must name a network for `public`, `cluster` or both",
		},
		{
			name: "the host's network is not multus", good: `network: {provider: host, hostNetwork: true}`, bad: `network: {provider: multus, selectors: {public: a}, hostNetwork: true}`,
			field: "spec.network.hostNetwork", says: "exclude each other; remove `network.hostNetwork`",
		},
		{
			name: "a provider is not swapped for another", before: `network: {provider: host}`,
			good: `network: {provider: ""}`, bad: `network: {provider: multus, selectors: {public: a}}`,
			field: "spec.network.provider", says: "`network.provider` must not change from one provider to another; set it to the empty string first",
		},
		{name: "a provider is known", good: `network: {provider: host}`, bad: `network: {provider: cilium}`, field: "spec.network.provider", says: `"", "host", "multus"`},
		{
			name: "networks are public or cluster", good: `network: {selectors: {public: a, cluster: b}}`, bad: `network: {selectors: {private: a}}`,
			field: "spec.network.selectors", says: "may have the keys `public` and `cluster` only; remove the others",
		},
		{
			name: "an exported cluster has a name", good: `network: {multiClusterService: {enabled: true, clusterID: a}}`, bad: `network: {multiClusterService: {enabled: true}}`,
			field: "spec.network.multiClusterService.clusterID", says: "must be set when it is enabled; use this cluster's name in the cluster set",
		},
	}
}

func storageRules() []rule {
	set := func(claims string) string {
		return `storage: {storageClassDeviceSets: [{name: s, count: 1, volumeClaimTemplates: ` + claims + `}]}`
	}
	const sets = "spec.storage.storageClassDeviceSets[0]"
	return []rule{
		{
			name: "near full is below backfill full", good: `storage: {nearFullRatio: 0.8, backfillFullRatio: 0.9}`, bad: `storage: {nearFullRatio: 0.9, backfillFullRatio: 0.8}`,
			field: "spec.storage.nearFullRatio", says: "`storage.nearFullRatio` must not exceed `storage.backfillFullRatio`; lower it",
		},
		{
			name: "backfill full is below full", good: `storage: {backfillFullRatio: 0.9, fullRatio: 0.95}`, bad: `storage: {backfillFullRatio: 0.96, fullRatio: 0.95}`,
			field: "spec.storage.backfillFullRatio", says: "`storage.backfillFullRatio` must not exceed `storage.fullRatio`; lower it",
		},
		{
			name: "near full is below full", good: `storage: {nearFullRatio: 0.9, fullRatio: 0.95}`, bad: `storage: {nearFullRatio: 0.96, fullRatio: 0.95}`,
			field: "spec.storage.nearFullRatio", says: "`storage.nearFullRatio` must not exceed `storage.fullRatio`; lower it",
		},
		{name: "ratios are ratios", good: `storage: {fullRatio: 1}`, bad: `storage: {fullRatio: 95}`, field: "spec.storage.fullRatio", says: "less than or equal to 1"},
		{
			name: "OSDs per device is a number", good: `storage: {config: {osdsPerDevice: "2"}}`, bad: `storage: {config: {osdsPerDevice: "0"}}`,
			field: "spec.storage.config", says: "`osdsPerDevice` must be a number from 1 to 16 in quotes; use \"1\"",
		},
		{
			name: "encryption is true or false", good: `storage: {nodes: [{name: a, config: {encryptedDevice: "false"}}]}`, bad: `storage: {nodes: [{name: a, config: {encryptedDevice: "yes"}}]}`,
			field: "spec.storage.nodes[0].config", says: "`encryptedDevice` must be \"true\" or \"false\"",
		},
		{
			name: "sizes are whole numbers", good: `storage: {devices: [{name: sdb, config: {databaseSizeMB: "1024"}}]}`, bad: `storage: {devices: [{name: sdb, config: {databaseSizeMB: 1Gi}}]}`,
			field: "spec.storage.devices[0].config", says: "`databaseSizeMB` and `walSizeMB` must be whole numbers in quotes; use for example \"1024\"",
		},
		{
			name: "weights are decimal numbers", good: `storage: {nodes: [{name: a, devices: [{name: sdb, config: {initialWeight: "1.5"}}]}]}`,
			bad:   `storage: {nodes: [{name: a, devices: [{name: sdb, config: {initialWeight: heavy}}]}]}`,
			field: "spec.storage.nodes[0].devices[0].config", says: "`initialWeight` and `primaryAffinity` must be decimal numbers in quotes; use for example \"1.0\"",
		},
		{
			name: "the device filter compiles", good: `storage: {deviceFilter: "^sd[b-d]$"}`, bad: `storage: {deviceFilter: "^sd[b-"}`,
			field: "spec.storage.deviceFilter", says: "`deviceFilter` must be a regular expression (RE2); correct it, for example ^sd[b-d]$",
		},
		{
			name: "the device filter of a node compiles", good: `storage: {nodes: [{name: a, deviceFilter: "sd."}]}`, bad: `storage: {nodes: [{name: a, deviceFilter: "(?!sda)"}]}`,
			field: "spec.storage.nodes[0].deviceFilter", says: "`deviceFilter` must be a regular expression (RE2)",
		},
		{
			name: "the path filter compiles", good: `storage: {devicePathFilter: "^/dev/disk/by-path/pci-.*"}`, bad: `storage: {devicePathFilter: "*"}`,
			field: "spec.storage.devicePathFilter", says: "`devicePathFilter` must be a regular expression (RE2); correct it, for example ^/dev/disk/by-path/pci-.*",
		},
		{
			name: "a device has a name or path", good: `storage: {devices: [{name: sdb}, {fullpath: /dev/disk/by-id/x}]}`, bad: `storage: {devices: [{config: {deviceClass: ssd}}]}`,
			field: "spec.storage.devices[0].name", says: "a device must have `name` (such as sdb) or `fullpath` (such as /dev/disk/by-id/ata-XXXX); add one",
		},
		{
			name: "a device's path is one", good: `storage: {devices: [{fullpath: /dev/sdb}]}`, bad: `storage: {devices: [{fullpath: sdb}]}`,
			field: "spec.storage.devices[0].fullpath", says: "`fullpath` of a device must begin with /dev/; write the whole path",
		},
		{name: "nodes are distinct", good: `storage: {nodes: [{name: a}, {name: b}]}`, bad: `storage: {nodes: [{name: a}, {name: a}]}`, field: "spec.storage.nodes[1]", says: "Duplicate value"},
		{name: "a node has a name", good: `storage: {nodes: [{name: a}]}`, bad: `storage: {nodes: [{name: ""}]}`, field: "spec.storage.nodes[0].name", says: "at least 1 chars long"},
		{
			name: "claims have known names", good: set(`[{metadata: {name: data}}, {metadata: {name: metadata}}, {metadata: {name: wal}}]`), bad: set(`[{metadata: {name: db}}]`),
			field: sets + ".volumeClaimTemplates", says: "must be data, metadata or wal; rename it",
		},
		{
			name: "one of several claims is for data", good: set(`[{metadata: {name: data}}, {metadata: {name: wal}}]`), bad: set(`[{metadata: {name: metadata}}, {metadata: {name: wal}}]`),
			field: sets + ".volumeClaimTemplates", says: "must include exactly one named data; name one so",
		},
		{name: "a set has claims", good: set(`[{}]`), bad: set(`[]`), field: sets + ".volumeClaimTemplates", says: "at least 1 items"},
		{
			name: "a set has devices", good: set(`[{}]`), bad: `storage: {storageClassDeviceSets: [{name: s, count: 0, volumeClaimTemplates: [{}]}]}`,
			field: sets + ".count", says: "greater than or equal to 1",
		},
		{name: "a migration is confirmed exactly", good: `storage: {migration: {confirmation: yes-really-migrate-osds}}`, bad: `storage: {migration: {confirmation: "yes"}}`, field: "spec.storage.migration.confirmation", says: "yes-really-migrate-osds"},
		{name: "a store is BlueStore", good: `storage: {store: {type: bluestore-rdr}}`, bad: `storage: {store: {type: filestore}}`, field: "spec.storage.store.type", says: "bluestore"},
	}
}
