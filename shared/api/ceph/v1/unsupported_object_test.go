package v1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestUnsupportedObjectStoreFieldsNamesWhatIsSet(t *testing.T) {
	for want, text := range map[string]string{
		"spec.gateway.opsLogSidecar":        `gateway: {opsLogSidecar: {}}`,
		"spec.gateway.dashboardEnabled":     `gateway: {dashboardEnabled: true}`,
		"spec.gateway.sslReloadInterval":    `gateway: {sslReloadInterval: 1h}`,
		"spec.gateway.readAffinity":         `gateway: {readAffinity: {type: balance}}`,
		"spec.hosting.dnsNames":             `{zone: {name: z}, hosting: {dnsNames: [s3.example.com]}}`,
		"spec.auth.keystone":                `auth: {keystone: {url: "http://k"}}`,
		"spec.protocols.s3.authUseKeystone": `protocols: {s3: {authUseKeystone: true}}`,
		"spec.security.kms":                 `security: {kms: {connectionDetails: {KMS_PROVIDER: vault}}}`,
		"spec.security.keyRotation":         `security: {keyRotation: {enabled: true}}`,
		"spec.security.s3":                  `security: {s3: {connectionDetails: {KMS_PROVIDER: vault}}}`,
		"spec.security.cipherSuites":        `security: {cipherSuites: [TLS_AES_256_GCM_SHA384]}`,
		"spec.security.tlsGroups":           `security: {tlsGroups: [X25519]}`,
		"spec.metadataPool.mirroring":       `metadataPool: {replicated: {size: 3}, mirroring: {enabled: true, mode: image}}`,
		"spec.dataPool.enableRBDStats":      `dataPool: {replicated: {size: 3}, enableRBDStats: true}`,
	} {
		t.Run(want, func(t *testing.T) {
			var spec api.ObjectStoreSpec
			decode(t, text, &spec)
			if diff := cmp.Diff([]string{want}, api.UnsupportedObjectStoreFields(&spec)); diff != "" {
				t.Errorf("UnsupportedObjectStoreFields(%s) (-want +got):\n%s", text, diff)
			}
		})
	}
	var quiet api.ObjectStoreSpec
	decode(t, `
metadataPool: {replicated: {size: 3}}
gateway: {dashboardEnabled: false, sslReloadInterval: 0s, readAffinity: {type: default}}
protocols: {s3: {enabled: true, authUseKeystone: false}}
security: {kms: {}, keyRotation: {enabled: false}, s3: {}, sslOptions: [no_tlsv1], ciphers: [HIGH]}
`, &quiet)
	if got := api.UnsupportedObjectStoreFields(&quiet); len(got) > 0 {
		t.Errorf("UnsupportedObjectStoreFields = %v, want none", got)
	}
}

func TestUnsupportedObjectZoneFieldsNamesWhatIsSet(t *testing.T) {
	var spec api.ObjectZoneSpec
	decode(t, `{zoneGroup: g, dataPool: {replicated: {size: 4, subFailureDomain: host}}}`, &spec)
	want := []string{"spec.dataPool.replicated.subFailureDomain"}
	if diff := cmp.Diff(want, api.UnsupportedObjectZoneFields(&spec)); diff != "" {
		t.Errorf("UnsupportedObjectZoneFields (-want +got):\n%s", diff)
	}
}

func TestUnsupportedObjectUserFieldsNamesWhatIsSet(t *testing.T) {
	for want, text := range map[string]string{
		"spec.accountRef":          `accountRef: {name: a}`,
		"spec.defaultStorageClass": `defaultStorageClass: COLD`,
	} {
		t.Run(want, func(t *testing.T) {
			var spec api.ObjectStoreUserSpec
			decode(t, text, &spec)
			if diff := cmp.Diff([]string{want}, api.UnsupportedObjectUserFields(&spec)); diff != "" {
				t.Errorf("UnsupportedObjectUserFields(%s) (-want +got):\n%s", text, diff)
			}
		})
	}
	if got := api.UnsupportedObjectUserFields(&api.ObjectStoreUserSpec{Store: "s", DefaultPlacement: "hot", DefaultStorageClass: "COLD",
		SecretTemplate: &api.ObjectUserSecretTemplate{Labels: api.Labels{"a": "b"}}}); len(got) > 0 {
		t.Errorf("UnsupportedObjectUserFields = %v, want none", got)
	}
}
