//go:build envtest

package crdtest

func poolRules() []rule {
	return []rule{
		{
			name: "a pool's name never changes", before: `{name: .mgr, replicated: {size: 3}}`,
			good: `{name: .mgr, replicated: {size: 2}}`, bad: `{name: .nfs, replicated: {size: 3}}`,
			field: "spec.name", says: "`name` must not change; create another CephBlockPool",
		},
		{
			name: "a pool's name is never added", before: `{replicated: {size: 3}}`,
			good: `{replicated: {size: 2}}`, bad: `{name: .mgr, replicated: {size: 3}}`,
			field: "spec.name", says: "create another CephBlockPool",
		},
		{name: "only built-in names are given", good: `{name: .rgw.root, replicated: {size: 3}}`, bad: `{name: rbd, replicated: {size: 3}}`, field: "spec.name", says: `".rgw.root", ".nfs", ".mgr", ".nvmeof"`},
		{
			name: "built-in pools are replicated", good: `{name: .mgr, replicated: {size: 3}}`, bad: `{name: .mgr, erasureCoded: {dataChunks: 2, codingChunks: 1}}`,
			field: "spec.erasureCoded", says: "a pool with a built-in `name` must be replicated; use `replicated.size`",
		},
		{
			name: "a pool is of one kind", good: `erasureCoded: {dataChunks: 2, codingChunks: 1}`, bad: `{replicated: {size: 3}, erasureCoded: {dataChunks: 2, codingChunks: 1}}`,
			field: "spec", says: "exactly one of `replicated.size` and `erasureCoded` must be set; set `replicated.size: 3`",
		},
		{name: "a pool is of some kind", good: `replicated: {size: 3}`, bad: `failureDomain: host`, field: "spec", says: "exactly one of `replicated.size` and `erasureCoded` must be set"},
		{name: "zeros are no kind", good: `{replicated: {size: 3}, erasureCoded: {dataChunks: 0, codingChunks: 0}}`, bad: `{replicated: {size: 0}, erasureCoded: {dataChunks: 0, codingChunks: 0}}`, field: "spec", says: "exactly one of"},
		{
			name: "a pool's kind never changes", before: `replicated: {size: 3}`,
			good: `replicated: {size: 2}`, bad: `erasureCoded: {dataChunks: 2, codingChunks: 1}`,
			field: "spec", says: "must not change between `replicated` and `erasureCoded`; create another pool and copy the data",
		},
		{
			name: "a pool's chunks never change", before: `erasureCoded: {dataChunks: 2, codingChunks: 1}`,
			good: `{deviceClass: ssd, erasureCoded: {dataChunks: 2, codingChunks: 1}}`, bad: `erasureCoded: {dataChunks: 4, codingChunks: 2}`,
			field: "spec.erasureCoded", says: "`erasureCoded.dataChunks` and `erasureCoded.codingChunks` must not change; create another pool and copy the data",
		},
		{
			name: "the inner failure domain is another one", good: `{failureDomain: zone, replicated: {size: 4, subFailureDomain: host}}`, bad: `{replicated: {size: 4, subFailureDomain: host}}`,
			field: "spec.replicated.subFailureDomain", says: "must differ from `failureDomain`; use a smaller one, such as host below zone",
		},
		{
			name: "compression is a known mode", good: `{replicated: {size: 3}, parameters: {compression_mode: force}}`, bad: `{replicated: {size: 3}, parameters: {compression_mode: zip}}`,
			field: "spec.parameters", says: "`parameters.compression_mode` must be none, passive, aggressive or force",
		},
		{name: "the older compression is a known mode", good: `{replicated: {size: 3}, compressionMode: passive}`, bad: `{replicated: {size: 3}, compressionMode: zip}`, field: "spec.compressionMode", says: `"none", "passive", "aggressive", "force"`},
		{
			name: "one copy is asked for knowingly", good: `replicated: {size: 1, requireSafeReplicaSize: false}`, bad: `replicated: {size: 1, requireSafeReplicaSize: true}`,
			field: "spec.replicated.size", says: "set `size` to 3, or `requireSafeReplicaSize` to false if the data may be lost",
		},
		{
			name: "copies divide evenly", good: `replicated: {size: 4, replicasPerFailureDomain: 2}`, bad: `replicated: {size: 3, replicasPerFailureDomain: 2}`,
			field: "spec.replicated.replicasPerFailureDomain", says: "`replicated.size` must be a multiple of `replicated.replicasPerFailureDomain`",
		},
		{
			name: "chunks are enough", good: `erasureCoded: {dataChunks: 4, codingChunks: 2}`, bad: `erasureCoded: {dataChunks: 1, codingChunks: 1}`,
			field: "spec.erasureCoded", says: "`erasureCoded.dataChunks` must be at least 2 and `erasureCoded.codingChunks` at least 1; use 2 and 1, or 4 and 2",
		},
		{
			name: "failure domains come with OSDs", good: `erasureCoded: {dataChunks: 4, codingChunks: 2, crushNumFailureDomains: 3, crushOSDsPerFailureDomain: 2}`,
			bad:   `erasureCoded: {dataChunks: 4, codingChunks: 2, crushNumFailureDomains: 3}`,
			field: "spec.erasureCoded.crushNumFailureDomains", says: "must be set together; set both or neither",
		},
		{
			name: "failure domains hold all chunks", good: `erasureCoded: {dataChunks: 4, codingChunks: 2, crushNumFailureDomains: 3, crushOSDsPerFailureDomain: 2}`,
			bad:   `erasureCoded: {dataChunks: 4, codingChunks: 2, crushNumFailureDomains: 2, crushOSDsPerFailureDomain: 2}`,
			field: "spec.erasureCoded.crushOSDsPerFailureDomain", says: "must not be less than the number of chunks; raise one of them",
		},
		{
			name: "a stripe unit is a multiple of 4Ki", good: `erasureCoded: {dataChunks: 2, codingChunks: 1, stripeUnit: 16384}`, bad: `erasureCoded: {dataChunks: 2, codingChunks: 1, stripeUnit: 5k}`,
			field: "spec.erasureCoded.stripeUnit", says: "`erasureCoded.stripeUnit` must be a multiple of 4Ki; use 4Ki or 16Ki",
		},
		{
			name: "mirroring has a mode", good: `{replicated: {size: 3}, mirroring: {enabled: true, mode: init-only}}`, bad: `{replicated: {size: 3}, mirroring: {enabled: true}}`,
			field: "spec.mirroring.mode", says: "`mirroring.mode` must be set when `mirroring.enabled` is true; use image",
		},
		{name: "mirroring has a known mode", good: `{replicated: {size: 3}, mirroring: {mode: pool}}`, bad: `{replicated: {size: 3}, mirroring: {mode: copy}}`, field: "spec.mirroring.mode", says: `"pool", "image", "init-only"`},
		{
			name: "a schedule has an interval", good: `{replicated: {size: 3}, mirroring: {snapshotSchedules: [{interval: 24h}]}}`, bad: `{replicated: {size: 3}, mirroring: {snapshotSchedules: [{startTime: "14:00:00-05:00"}]}}`,
			field: "spec.mirroring.snapshotSchedules", says: "must have an `interval`, such as 24h",
		},
		{name: "a failure domain is a name", good: `{failureDomain: rack, replicated: {size: 3}}`, bad: `{failureDomain: "a rack", replicated: {size: 3}}`, field: "spec.failureDomain", says: "should match"},
		{name: "a quota is a quantity", good: `{replicated: {size: 3}, quotas: {maxSize: 1.5Ti}}`, bad: `{replicated: {size: 3}, quotas: {maxSize: 10GB}}`, field: "spec.quotas.maxSize", says: "should match"},
		{name: "a quota is positive", good: `{replicated: {size: 3}, quotas: {maxObjects: 0}}`, bad: `{replicated: {size: 3}, quotas: {maxObjects: -1}}`, field: "spec.quotas.maxObjects", says: "greater than or equal to 0"},
		{name: "copies are counted", good: `replicated: {size: 10}`, bad: `replicated: {size: 11}`, field: "spec.replicated.size", says: "less than or equal to 10"},
		{
			name: "hybrid storage has two classes", good: `replicated: {size: 3, hybridStorage: {primaryDeviceClass: ssd, secondaryDeviceClass: hdd}}`, bad: `replicated: {size: 3, hybridStorage: {primaryDeviceClass: ssd, secondaryDeviceClass: ""}}`,
			field: "spec.replicated.hybridStorage.secondaryDeviceClass", says: "at least 1 chars long",
		},
	}
}

func osdRules() []rule {
	const base = `clusterName: c, uuid: 0d1f62a8-41e4-4ba6-9f4f-3d8b2e6a5a01, disk: {name: d}`
	return []rule{
		{
			name: "an OSD keeps its number", before: `{` + base + `, node: a, id: 0}`,
			good: `{` + base + `, node: b, id: 0}`, bad: `{` + base + `, node: a, id: 1}`,
			field: "spec.id", says: "`id` must not change once set",
		},
		{
			name: "an OSD gets a number once", before: `{` + base + `, node: a}`,
			good: `{` + base + `, node: a, id: 7}`, bad: `{` + base + `, node: a, id: -1}`,
			field: "spec.id", says: "greater than or equal to 0",
		},
		{
			name: "an OSD keeps its identity", before: `{` + base + `, node: a}`,
			good: `{` + base + `, node: b}`, bad: `{clusterName: c, uuid: 0d1f62a8-41e4-4ba6-9f4f-3d8b2e6a5a02, disk: {name: d}, node: a}`,
			field: "spec.uuid", says: "`uuid` must not change, because it is the identity of the OSD's data",
		},
		{
			name: "an OSD keeps its cluster", before: `{` + base + `, node: a}`,
			good: `{` + base + `, node: b}`, bad: `{clusterName: x, uuid: 0d1f62a8-41e4-4ba6-9f4f-3d8b2e6a5a01, disk: {name: d}, node: a}`,
			field: "spec.clusterName", says: "`clusterName` must not change",
		},
		{name: "an OSD has an identity", good: `{` + base + `, node: a}`, bad: `{clusterName: c, uuid: "0", disk: {name: d}, node: a}`, field: "spec.uuid", says: "should match"},
	}
}

// statusRules are about CephCluster.status.
func statusRules() []rule {
	return []rule{
		{
			name: "a cluster's identity never changes", before: `connection: {fsid: a}`,
			good: `connection: {fsid: a, monHost: x}`, bad: `connection: {fsid: b}`,
			field: "status.connection.fsid", says: "must not change, because it is the identity of the cluster; put the former one back",
		},
		{
			name: "a cluster's identity is never removed", before: `connection: {fsid: a}`,
			good: `{phase: Ready, connection: {fsid: a}}`, bad: `phase: Ready`,
			field: "status.connection", says: "missing state never means a new cluster; put it back",
		},
		{name: "conditions are told apart by type", good: `conditions: [{type: A, status: "True"}, {type: B, status: "True"}]`, bad: `conditions: [{type: A, status: "True"}, {type: A, status: "False"}]`, field: "status.conditions[1]", says: "Duplicate value"},
	}
}
