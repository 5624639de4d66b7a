//go:build envtest

package crdtest

// server is the part that every file system needs.
const server = `metadataServer: {activeCount: 1}`

func filesystem(parts string) string {
	return `{metadataPool: {replicated: {size: 3}}, ` + parts + `, ` + server + `}`
}

func filesystemRules() []rule {
	one := `dataPools: [{name: a, replicated: {size: 3}}]`
	return []rule{
		{
			name: "the first data pool is replicated", good: filesystem(`dataPools: [{replicated: {size: 3}}, {erasureCoded: {dataChunks: 2, codingChunks: 1}}]`),
			bad:   filesystem(`dataPools: [{erasureCoded: {dataChunks: 2, codingChunks: 1}}]`),
			field: "spec.dataPools", says: "the first of `dataPools` must be replicated",
		},
		{
			name: "data pools are told apart", good: filesystem(`dataPools: [{name: a, replicated: {size: 3}}, {name: b, replicated: {size: 3}}, {replicated: {size: 3}}, {replicated: {size: 3}}]`),
			bad:   filesystem(`dataPools: [{name: a, replicated: {size: 3}}, {name: a, replicated: {size: 3}}]`),
			field: "spec.dataPools", says: "each of `dataPools` must have a `name` of its own",
		},
		{
			name: "the metadata pool is told apart", good: `{preservePoolNames: true, metadataPool: {name: m, replicated: {size: 3}}, ` + one + `, ` + server + `}`,
			bad:   `{preservePoolNames: true, metadataPool: {name: a, replicated: {size: 3}}, ` + one + `, ` + server + `}`,
			field: "spec.metadataPool", says: "with `preservePoolNames` the name of `metadataPool` must differ",
		},
		{
			name: "data comes with metadata", good: `{metadataPool: null, dataPools: [], ` + server + `}`, bad: `{` + one + `, ` + server + `}`,
			field: "spec.metadataPool", says: "`metadataPool` must be set where there are `dataPools`",
		},
		{
			name: "names are preserved for good", before: filesystem(one), good: filesystem(`preservePoolNames: false, ` + one), bad: filesystem(`preservePoolNames: true, ` + one),
			field: "spec.preservePoolNames", says: "`preservePoolNames` must not change",
		},
		{
			name: "metadata is replicated", good: filesystem(one), bad: `{metadataPool: {erasureCoded: {dataChunks: 2, codingChunks: 1}}, ` + one + `, ` + server + `}`,
			field: "spec.metadataPool.erasureCoded", says: "`metadataPool` must be replicated",
		},
		{
			name: "a data pool stays what it is", before: filesystem(`dataPools: [{replicated: {size: 3}}, {name: a, erasureCoded: {dataChunks: 2, codingChunks: 1}}]`),
			good:  filesystem(`dataPools: [{replicated: {size: 3}}, {name: b, replicated: {size: 3}}, {name: a, erasureCoded: {dataChunks: 2, codingChunks: 1}}]`),
			bad:   filesystem(`dataPools: [{replicated: {size: 3}}, {name: a, replicated: {size: 3}}]`),
			field: "spec.dataPools", says: "one of `dataPools` must not change between `replicated` and `erasureCoded`",
		},
		{name: "a data pool is of one kind", good: filesystem(one), bad: filesystem(`dataPools: [{name: a}]`), field: "spec.dataPools[0]", says: "exactly one of `replicated.size` and `erasureCoded` must be set"},
		{name: "one daemon is the least", good: `{metadataServer: {activeCount: 50}}`, bad: `{metadataServer: {activeCount: 0}}`, field: "spec.metadataServer.activeCount", says: "greater than or equal to 1"},
		{name: "fifty daemons are the most", good: `{metadataServer: {activeCount: 1}}`, bad: `{metadataServer: {activeCount: 51}}`, field: "spec.metadataServer.activeCount", says: "less than or equal to 50"},
		{name: "a cache is a share of the memory", good: `{metadataServer: {activeCount: 1, cacheMemoryLimitFactor: 1.0}}`, bad: `{metadataServer: {activeCount: 1, cacheMemoryLimitFactor: 1.5}}`, field: "spec.metadataServer.cacheMemoryLimitFactor", says: "less than or equal to 1"},
		{
			name: "a schedule of a file system has an interval", good: `{mirroring: {snapshotSchedules: [{path: /, interval: 24h}]}, ` + server + `}`, bad: `{mirroring: {snapshotSchedules: [{path: /}]}, ` + server + `}`,
			field: "spec.mirroring.snapshotSchedules", says: "each of `mirroring.snapshotSchedules` must have an `interval`",
		},
		{
			name: "a retention has a duration", good: `{mirroring: {snapshotRetention: [{path: /, duration: h24}]}, ` + server + `}`, bad: `{mirroring: {snapshotRetention: [{path: /}]}, ` + server + `}`,
			field: "spec.mirroring.snapshotRetention", says: "each of `mirroring.snapshotRetention` must have a `duration`",
		},
		{
			name: "a name begins with a letter", badName: "9-", good: `{` + server + `}`, bad: `{` + server + `}`,
			field: "<nil>", says: "`metadata.name` must begin with a letter",
		},
	}
}

func groupRules() []rule {
	return []rule{
		{
			name: "a group's name never changes", before: `{name: a, filesystemName: f}`, good: `{name: a, filesystemName: f, quota: 1Gi}`, bad: `{name: b, filesystemName: f}`,
			field: "spec.name", says: "`name` must not change; create another CephFilesystemSubVolumeGroup",
		},
		{
			name: "a group stays in its file system", before: `{filesystemName: f}`, good: `{filesystemName: f, quota: 1Gi}`, bad: `{filesystemName: g}`,
			field: "spec.filesystemName", says: "`filesystemName` must not change; create another CephFilesystemSubVolumeGroup",
		},
		{
			name: "a group keeps its data pool", before: `{filesystemName: f, dataPoolName: f-a}`, good: `{filesystemName: f, dataPoolName: f-a, quota: 5}`, bad: `{filesystemName: f}`,
			field: "spec.dataPoolName", says: "`dataPoolName` must not change",
		},
		{
			name: "a group keeps its cluster id", before: `{filesystemName: f, clusterID: a}`, good: `{filesystemName: f, clusterID: a, quota: 1}`, bad: `{filesystemName: f, clusterID: b}`,
			field: "spec.clusterID", says: "`clusterID` must not change",
		},
		{
			name: "a group gets no cluster id later", before: `{filesystemName: f}`, good: `{filesystemName: f, quota: 1}`, bad: `{filesystemName: f, clusterID: b}`,
			field: "spec.clusterID", says: "`clusterID` must not be added or removed",
		},
		{
			name: "a group does not lose its cluster id", before: `{filesystemName: f, clusterID: a}`, good: `{filesystemName: f, clusterID: a}`, bad: `{filesystemName: f}`,
			field: "spec.clusterID", says: "`clusterID` must not be added or removed",
		},
		{name: "a group is in a file system", good: `filesystemName: f`, bad: `filesystemName: ""`, field: "spec.filesystemName", says: "at least 1 chars long"},
		{
			name: "a group's quota is bytes", good: `{filesystemName: f, quota: 1.5Gi}`, bad: `{filesystemName: f, quota: 0}`,
			field: "spec.quota", says: "`quota` must be a size above 0",
		},
		{
			name: "a group is pinned in one way", good: `{filesystemName: f, pinning: {random: 0.5}}`, bad: `{filesystemName: f, pinning: {distributed: 1, export: 0}}`,
			field: "spec.pinning", says: "only one of `export`, `distributed` and `random` may be set",
		},
		{name: "a rank is none or one", good: `{filesystemName: f, pinning: {export: -1}}`, bad: `{filesystemName: f, pinning: {export: -2}}`, field: "spec.pinning.export", says: "greater than or equal to -1"},
		{name: "distributed is on or off", good: `{filesystemName: f, pinning: {distributed: 0}}`, bad: `{filesystemName: f, pinning: {distributed: 2}}`, field: "spec.pinning.distributed", says: "less than or equal to 1"},
	}
}
