//go:build envtest

package crdtest

// own are pools of a store's own; shared are pools of others.
const (
	own    = `metadataPool: {replicated: {size: 3}}, dataPool: {replicated: {size: 3}}`
	shared = `sharedPools: {metadataPoolName: m, dataPoolName: d}`
)

func store(parts string) string { return `{gateway: {port: 80}, ` + parts + `}` }

func gateway(parts string) string { return `{` + own + `, gateway: {` + parts + `}}` }

func storeRules() []rule {
	coded := `metadataPool: {replicated: {size: 3}}, dataPool: {erasureCoded: {dataChunks: 2, codingChunks: 1}}`
	return []rule{
		{
			name: "metadata is replicated", good: store(coded), bad: store(`metadataPool: {erasureCoded: {dataChunks: 2, codingChunks: 1}}, dataPool: {replicated: {size: 3}}`),
			field: "spec.metadataPool.erasureCoded", says: "`metadataPool` must be replicated",
		},
		{
			name: "a pool is of one kind", good: store(own), bad: store(`metadataPool: {replicated: {size: 3}}, dataPool: {replicated: {size: 3}, erasureCoded: {dataChunks: 2, codingChunks: 1}}`),
			field: "spec.dataPool", says: "exactly one of `replicated.size` and `erasureCoded` must be set",
		},
		{
			name: "pools come together", good: store(own), bad: store(`metadataPool: {replicated: {size: 3}}`),
			field: "spec.dataPool", says: "`metadataPool` and `dataPool` must be set together",
		},
		{
			name: "zeros and nulls are no pools", good: store(`metadataPool: {replicated: {size: 0}, erasureCoded: {dataChunks: 0, codingChunks: 0}}, dataPool: null, sharedPools: null, zone: {name: a}`),
			bad:   store(`metadataPool: {replicated: {size: 3}}, dataPool: {replicated: {size: 0}}`),
			field: "spec.dataPool", says: "`metadataPool` and `dataPool` must be set together",
		},
		{
			name: "shared pools come together", good: store(shared), bad: store(`sharedPools: {metadataPoolName: m}`),
			field: "spec.sharedPools", says: "`sharedPools.metadataPoolName` and `sharedPools.dataPoolName` must be set together",
		},
		{
			name: "metadata is in one pool", good: store(shared), bad: store(own + `, ` + shared),
			field: "spec.sharedPools", says: "`metadataPool` and `sharedPools.metadataPoolName` must not be set both",
		},
		{
			name: "data is in one pool", good: store(own + `, sharedPools: {metadataPoolName: "", dataPoolName: ""}`), bad: store(own + `, ` + shared),
			field: "spec.sharedPools", says: "`dataPool` and `sharedPools.dataPoolName` must not be set both",
		},
		{
			name: "a store keeps its shared metadata", before: store(shared), good: store(shared + `, preservePoolsOnDelete: true`), bad: store(`sharedPools: {metadataPoolName: x, dataPoolName: d}`),
			field: "spec.sharedPools", says: "`sharedPools.metadataPoolName` must not change",
		},
		{
			name: "a store keeps its shared data", before: store(shared), good: store(shared + `, preservePoolsOnDelete: true`), bad: store(`sharedPools: {metadataPoolName: m, dataPoolName: x}`),
			field: "spec.sharedPools", says: "`sharedPools.dataPoolName` must not change",
		},
		{
			name: "a store keeps its kind of pool", before: store(coded), good: store(coded + `, preservePoolsOnDelete: true`), bad: store(own),
			field: "spec.dataPool", says: "`dataPool` must not change between `replicated` and `erasureCoded`",
		},
		{
			name: "one placement is the default", good: store(own + `, sharedPools: {poolPlacements: [{name: a, default: true, metadataPoolName: m, dataPoolName: d}, {name: b, metadataPoolName: m, dataPoolName: d, dataNonECPoolName: x, storageClasses: [{name: COLD, dataPoolName: e}]}]}`),
			bad:   store(own + `, sharedPools: {poolPlacements: [{name: a, default: true, metadataPoolName: m, dataPoolName: d}, {name: b, default: true, metadataPoolName: m, dataPoolName: d}]}`),
			field: "spec.sharedPools.poolPlacements", says: "only one of `poolPlacements` may be the `default`",
		},
		{
			name: "STANDARD is taken", good: store(`sharedPools: {poolPlacements: [{name: a, metadataPoolName: m, dataPoolName: d, storageClasses: [{name: GLACIER, dataPoolName: e}]}]}`),
			bad:   store(`sharedPools: {poolPlacements: [{name: a, metadataPoolName: m, dataPoolName: d, storageClasses: [{name: STANDARD, dataPoolName: e}]}]}`),
			field: "spec.sharedPools.poolPlacements[0].storageClasses[0].name", says: "the storage class STANDARD is the placement's `dataPoolName`",
		},
		{
			name: "a zone has the pools", good: store(`zone: {name: zone-a}`), bad: store(own + `, zone: {name: zone-a}`),
			field: "spec.zone", says: "a store with `zone` must have no pools of its own",
		},
		{
			name: "a store stays in its zone", before: store(`zone: {name: zone-a}`), good: store(`zone: {name: zone-a}, preservePoolsOnDelete: true`), bad: store(`zone: {name: zone-b}`),
			field: "spec.zone", says: "`zone` must not change",
		},
		{
			name: "a store does not leave its zone", before: store(`zone: {name: zone-a}`), good: store(`zone: {name: zone-a}, defaultRealm: false`), bad: store(own),
			field: "spec.zone", says: "`zone` must not change",
		},
		{
			name: "a store has no dot in its name", badName: "x.y-", good: store(own), bad: store(own),
			field: "<nil>", says: "`metadata.name` must have no dots",
		},
		{
			name: "a store's name fits its Service", badName: "x2345678901234567890123456789012345678901234567-", good: store(own), bad: store(own),
			field: "<nil>", says: "at most 49 characters",
		},
		{
			name: "a host has a plain name", good: store(own + `, hosting: {dnsNames: [s3.example.com], advertiseEndpoint: {dnsName: s3.example.com, port: 443, useTls: true}}`),
			bad:   store(own + `, hosting: {dnsNames: ["*.example.com"]}`),
			field: "spec.hosting.dnsNames[0]", says: "should match",
		},
		{
			name: "an advertised host has a plain name", good: store(own + `, hosting: {advertiseEndpoint: {dnsName: s3, port: 1, useTls: false}}`),
			bad:   store(own + `, hosting: {advertiseEndpoint: {dnsName: "https://s3", port: 1, useTls: false}}`),
			field: "spec.hosting.advertiseEndpoint.dnsName", says: "should match",
		},
		{
			name: "a cipher is one word", good: store(own + `, security: {sslOptions: [no_tlsv1], ciphers: [HIGH, "!aNULL"], cipherSuites: [TLS_AES_256_GCM_SHA384], tlsGroups: [X25519]}`),
			bad:   store(own + `, security: {ciphers: ["HIGH port=1"]}`),
			field: "spec.security.ciphers[0]", says: "should match",
		},
		{
			name: "an interface is known", good: store(own + `, protocols: {enableAPIs: [s3, s3website, swift, swift_auth, admin, sts, iam, notifications]}`), bad: store(own + `, protocols: {enableAPIs: [s4]}`),
			field: "spec.protocols.enableAPIs[0]", says: "Unsupported value",
		},
	}
}

func gatewayRules() []rule {
	files := func(parts string) string {
		return gateway(`port: 80, additionalVolumeMounts: [` + parts + `]`)
	}
	return []rule{
		{name: "a gateway listens", good: gateway(`port: 80, securePort: null, instances: null, sslCertificateRef: null, placement: null, annotations: null, resources: null`), bad: gateway(`instances: 1`), field: "spec.gateway", says: "`gateway.port` or `gateway.securePort` must be set"},
		{name: "a secure gateway needs no other port", good: gateway(`securePort: 443, sslCertificateRef: tls`), bad: gateway(`port: 0, securePort: 0`), field: "spec.gateway", says: "`gateway.port` or `gateway.securePort` must be set"},
		{name: "ports differ", good: gateway(`port: 80, securePort: 443, sslCertificateRef: tls`), bad: gateway(`port: 443, securePort: 443, sslCertificateRef: tls`), field: "spec.gateway", says: "`gateway.port` and `gateway.securePort` must differ"},
		{name: "a secure gateway has a certificate", good: gateway(`securePort: 443, service: {annotations: {service.beta.openshift.io/serving-cert-secret-name: tls}}`), bad: gateway(`securePort: 443, service: {annotations: {a: b}}`), field: "spec.gateway", says: "`gateway.securePort` needs a certificate"},
		{name: "an external gateway has its own certificate", good: gateway(`securePort: 443, externalRgwEndpoints: [{ip: 10.0.0.1}]`), bad: gateway(`securePort: 443`), field: "spec.gateway", says: "`gateway.securePort` needs a certificate"},
		{name: "an external gateway is somewhere", good: gateway(`port: 80, externalRgwEndpoints: [{hostname: a.example.com}]`), bad: gateway(`port: 80, externalRgwEndpoints: [{}]`), field: "spec.gateway.externalRgwEndpoints[0]", says: "an external gateway must have an `ip` or a `hostname`"},
		{name: "a port is a port", good: gateway(`port: 65535`), bad: gateway(`port: 65536`), field: "spec.gateway.port", says: "less than or equal to 65535"},
		{name: "no gateway is few enough", good: gateway(`port: 80, instances: 0`), bad: gateway(`port: 80, instances: -1`), field: "spec.gateway.instances", says: "greater than or equal to 0"},
		{name: "files stay in their place", good: files(`{subPath: ldap/a, volumeSource: {secret: {secretName: s, defaultMode: 0600}}}`), bad: files(`{subPath: a/../.., volumeSource: {secret: {secretName: s}}}`), field: "spec.gateway.additionalVolumeMounts[0].subPath", says: "`subPath` must stay below /var/rgw"},
		{name: "a path is relative", good: files(`{subPath: a, volumeSource: {configMap: {name: c}}}`), bad: files(`{subPath: /etc, volumeSource: {configMap: {name: c}}}`), field: "spec.gateway.additionalVolumeMounts[0].subPath", says: "should match"},
		{name: "a path is used once", good: files(`{subPath: a, volumeSource: {emptyDir: {}}}, {subPath: b, volumeSource: {emptyDir: {}}}`), bad: files(`{subPath: a, volumeSource: {emptyDir: {}}}, {subPath: a, volumeSource: {emptyDir: {}}}`), field: "spec.gateway.additionalVolumeMounts[1]", says: "Duplicate value"},
		{name: "files come from one source", good: files(`{subPath: a, volumeSource: {hostPath: {path: /x}}}`), bad: files(`{subPath: a, volumeSource: {secret: {secretName: s}, emptyDir: {}}}`), field: "spec.gateway.additionalVolumeMounts[0].volumeSource", says: "exactly one source of `volumeSource` must be set"},
		{name: "an option has a name", good: gateway(`port: 80, rgwConfig: {debug_rgw: "10", debug-ms: "1"}`), bad: gateway(`port: 80, rgwConfig: {"debug rgw": "10"}`), field: "spec.gateway.rgwConfig", says: "must be names of options of Ceph"},
		{name: "a flag has a name", good: gateway(`port: 80, rgwCommandFlags: {debug_rgw: "10"}`), bad: gateway(`port: 80, rgwCommandFlags: {"--debug-rgw": "10"}`), field: "spec.gateway.rgwCommandFlags", says: "must be names of options of Ceph"},
		{name: "a secret option has a name", good: gateway(`port: 80, rgwConfigFromSecret: {rgw_x: {name: s, key: k}}`), bad: gateway(`port: 80, rgwConfigFromSecret: {RGW: {name: s, key: k}}`), field: "spec.gateway.rgwConfigFromSecret", says: "must be names of options of Ceph"},
		{name: "a certificate is read now and then", good: gateway(`port: 80, sslReloadInterval: 1h30m`), bad: gateway(`port: 80, sslReloadInterval: -1s`), field: "spec.gateway.sslReloadInterval", says: "`sslReloadInterval` must not be negative"},
		{name: "reads go somewhere", good: gateway(`port: 80, readAffinity: {type: localize}`), bad: gateway(`port: 80, readAffinity: {type: near}`), field: "spec.gateway.readAffinity.type", says: "Unsupported value"},
	}
}

func userRules() []rule {
	return []rule{
		{name: "a user has a store", good: `{store: s}`, bad: `{displayName: d}`, field: "spec.store", says: "Required value"},
		{name: "a user stays in its store", before: `{store: s}`, good: `{store: s, displayName: d}`, bad: `{store: t}`, field: "spec.store", says: "`store` must not change"},
		{name: "a user stays in its cluster", before: `{store: s, clusterNamespace: a}`, good: `{store: s, clusterNamespace: a, displayName: d}`, bad: `{store: s}`, field: "spec.clusterNamespace", says: "`clusterNamespace` must not change"},
		{name: "a right is known", good: `{store: s, capabilities: {user: "*", buckets: read, usage: "read, write", amz-cache: write, accounts: ""}}`, bad: `{store: s, capabilities: {buckets: all}}`, field: "spec.capabilities.buckets", says: "Unsupported value"},
		{name: "an operation is known", good: `{store: s, opMask: [read, write, delete]}`, bad: `{store: s, opMask: [list]}`, field: "spec.opMask[0]", says: "Unsupported value"},
		{name: "an operation is named once", good: `{store: s, opMask: []}`, bad: `{store: s, opMask: [read, read]}`, field: "spec.opMask[1]", says: "Duplicate value"},
		{name: "buckets are none, some or any", good: `{store: s, quotas: {maxBuckets: -1, maxObjects: -1, maxSize: 10G}}`, bad: `{store: s, quotas: {maxBuckets: -2}}`, field: "spec.quotas.maxBuckets", says: "greater than or equal to -1"},
		{name: "objects are some or any", good: `{store: s, quotas: {maxObjects: 0}}`, bad: `{store: s, quotas: {maxObjects: -2}}`, field: "spec.quotas.maxObjects", says: "greater than or equal to -1"},
		{name: "a size is not negative", good: `{store: s, quotas: {maxSize: 1073741824}}`, bad: `{store: s, quotas: {maxSize: "-1"}}`, field: "spec.quotas.maxSize", says: "`quotas.maxSize` must not be negative"},
		{name: "an access key is somewhere", good: `{store: s, keys: [{accessKeyRef: {name: keys, key: a}, secretKeyRef: {name: keys, key: b}}]}`, bad: `{store: s, keys: [{accessKeyRef: {key: a}, secretKeyRef: {name: keys, key: b}}]}`, field: "spec.keys[0].accessKeyRef", says: "`accessKeyRef` must name a Secret"},
		{name: "a secret key is somewhere", good: `{store: s, keys: []}`, bad: `{store: s, keys: [{accessKeyRef: {name: keys, key: a}, secretKeyRef: {name: keys, key: ""}}]}`, field: "spec.keys[0].secretKeyRef", says: "`secretKeyRef` must name a Secret"},
	}
}

func realmRules() []rule {
	return []rule{
		{name: "a realm is pulled over HTTP", good: `{pull: {endpoint: "https://10.0.0.1:443"}}`, bad: `{pull: {endpoint: 10.0.0.1}}`, field: "spec.pull.endpoint", says: "should match"},
		{name: "a realm stays its own", before: `{defaultRealm: false}`, good: `{pull: {}, defaultRealm: true}`, bad: `{pull: {endpoint: "http://a"}}`, field: "spec.pull", says: "`pull` must not be added or removed"},
		{name: "a pulled realm may have moved", before: `{pull: {endpoint: "http://a"}}`, good: `{pull: {endpoint: "http://b"}}`, bad: `{}`, field: "spec.pull", says: "`pull` must not be added or removed"},
	}
}

func zoneGroupRules() []rule {
	return []rule{
		{name: "a zone group has a realm", good: `{realm: r}`, bad: `{}`, field: "spec.realm", says: "Required value"},
		{name: "a zone group stays in its realm", before: `{realm: r}`, good: `{realm: r}`, bad: `{realm: q}`, field: "spec.realm", says: "`realm` must not change"},
	}
}

func zoneRules() []rule {
	zone := func(parts string) string { return `{zoneGroup: g, ` + parts + `}` }
	return []rule{
		{name: "a zone has a zone group", good: zone(own), bad: `{` + own + `}`, field: "spec.zoneGroup", says: "Required value"},
		{name: "a zone stays in its zone group", before: zone(own), good: zone(own + `, preservePoolsOnDelete: false`), bad: `{zoneGroup: h, ` + own + `}`, field: "spec.zoneGroup", says: "`zoneGroup` must not change"},
		{name: "pools of a zone come together", good: zone(shared), bad: zone(`dataPool: {replicated: {size: 3}}`), field: "spec.dataPool", says: "`metadataPool` and `dataPool` must be set together"},
		{name: "metadata of a zone is replicated", good: zone(own), bad: zone(`metadataPool: {erasureCoded: {dataChunks: 2, codingChunks: 1}}, dataPool: {replicated: {size: 3}}`), field: "spec.metadataPool.erasureCoded", says: "`metadataPool` must be replicated"},
		{name: "metadata of a zone is in one pool", good: zone(own), bad: zone(own + `, ` + shared), field: "spec.sharedPools", says: "`metadataPool` and `sharedPools.metadataPoolName` must not be set both"},
		{name: "a zone keeps its shared pools", before: zone(shared), good: zone(shared + `, customEndpoints: null`), bad: zone(`sharedPools: {metadataPoolName: m, dataPoolName: x}`), field: "spec.sharedPools", says: "`sharedPools.dataPoolName` must not change"},
		{name: "an endpoint is a URL", good: zone(own + `, customEndpoints: ["https://s3.example.com:443"]`), bad: zone(own + `, customEndpoints: [s3.example.com]`), field: "spec.customEndpoints[0]", says: "should match"},
	}
}
