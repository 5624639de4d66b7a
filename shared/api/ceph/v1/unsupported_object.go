package v1

import "strings"

// UnsupportedObjectStoreFields gives the JSON paths of the fields of an object
// store's spec that are set and that nobody acts on yet, sorted.
func UnsupportedObjectStoreFields(spec *ObjectStoreSpec) []string {
	paths := setPaths(spec, unsupportedObjectStoreFields())
	return sorted(append(paths, unsupportedObjectPools(spec.MetadataPool, spec.DataPool)...))
}

// UnsupportedObjectZoneFields gives the JSON paths of the fields of a zone's spec
// that are set and that nobody acts on yet, sorted.
func UnsupportedObjectZoneFields(spec *ObjectZoneSpec) []string {
	return sorted(unsupportedObjectPools(spec.MetadataPool, spec.DataPool))
}

// UnsupportedObjectUserFields gives the JSON paths of the fields of a user's spec
// that are set and that nobody acts on yet, sorted.
func UnsupportedObjectUserFields(spec *ObjectStoreUserSpec) []string {
	return sorted(setPaths(spec, unsupportedObjectUserFields()))
}

func unsupportedObjectPools(metadata, data *PoolSpec) []string {
	var paths []string
	for prefix, pool := range map[string]*PoolSpec{"spec.metadataPool": metadata, "spec.dataPool": data} {
		if pool == nil {
			continue
		}
		for _, path := range UnsupportedPoolFields(pool) {
			paths = append(paths, prefix+strings.TrimPrefix(path, "spec"))
		}
	}
	return paths
}

func unsupportedObjectStoreFields() []unsupportedField[ObjectStoreSpec] {
	type field = unsupportedField[ObjectStoreSpec]
	secure := func(set func(*ObjectStoreSecuritySpec) bool) func(*ObjectStoreSpec) bool {
		return func(s *ObjectStoreSpec) bool { return s.Security != nil && set(s.Security) }
	}
	return []field{
		{"spec.gateway.opsLogSidecar", func(s *ObjectStoreSpec) bool { return s.Gateway.OpsLogSidecar != nil }},
		{"spec.gateway.dashboardEnabled", func(s *ObjectStoreSpec) bool {
			return s.Gateway.DashboardEnabled != nil && *s.Gateway.DashboardEnabled
		}},
		{"spec.gateway.sslReloadInterval", func(s *ObjectStoreSpec) bool {
			return s.Gateway.SSLReloadInterval != nil && s.Gateway.SSLReloadInterval.Duration > 0
		}},
		{"spec.gateway.readAffinity", func(s *ObjectStoreSpec) bool {
			return s.Gateway.ReadAffinity != nil && s.Gateway.ReadAffinity.Type != "default"
		}},
		// The host names of a zone group that others made are theirs to say.
		{"spec.hosting.dnsNames", func(s *ObjectStoreSpec) bool { return s.Zone != nil && s.Hosting != nil && len(s.Hosting.DNSNames) > 0 }},
		{"spec.auth.keystone", func(s *ObjectStoreSpec) bool { return s.Auth.Keystone != nil }},
		{"spec.protocols.s3.authUseKeystone", func(s *ObjectStoreSpec) bool {
			s3 := s.Protocols.S3
			return s3 != nil && s3.AuthUseKeystone != nil && *s3.AuthUseKeystone
		}},
		{"spec.security.kms", secure(func(s *ObjectStoreSecuritySpec) bool { return len(s.KeyManagementService.ConnectionDetails) > 0 })},
		{"spec.security.keyRotation", secure(func(s *ObjectStoreSecuritySpec) bool { return s.KeyRotation.Enabled })},
		{"spec.security.s3", secure(func(s *ObjectStoreSecuritySpec) bool { return len(s.ServerSideEncryptionS3.ConnectionDetails) > 0 })},
		{"spec.security.cipherSuites", secure(func(s *ObjectStoreSecuritySpec) bool { return len(s.CipherSuites) > 0 })},
		{"spec.security.tlsGroups", secure(func(s *ObjectStoreSecuritySpec) bool { return len(s.TLSGroups) > 0 })},
	}
}

func unsupportedObjectUserFields() []unsupportedField[ObjectStoreUserSpec] {
	type field = unsupportedField[ObjectStoreUserSpec]
	return []field{
		{"spec.accountRef", func(s *ObjectStoreUserSpec) bool { return s.AccountRef != nil }},
		// No gateway takes a class without a placement.
		{"spec.defaultStorageClass", func(s *ObjectStoreUserSpec) bool { return s.DefaultStorageClass != "" && s.DefaultPlacement == "" }},
	}
}
