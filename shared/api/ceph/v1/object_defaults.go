package v1

// DefaultGatewayInstances is how many gateways a store has when its spec does not
// say.
const DefaultGatewayInstances = 1

// Wanted tells whether a pool is asked for. The zero value, which other writers
// of Go types store for "none", asks for no pool, and so does nil.
func (s *PoolSpec) Wanted() bool {
	return s != nil && (s.Replicated.Size > 0 || s.ErasureCoded.DataChunks > 0 || s.ErasureCoded.CodingChunks > 0)
}

// Wanted tells whether existing pools are named. The zero value and nil name none.
func (s *ObjectSharedPoolsSpec) Wanted() bool {
	return s != nil && (s.MetadataPoolName != "" || s.DataPoolName != "" || len(s.PoolPlacements) > 0)
}

// ZoneName is the CephObjectZone that the store serves, or empty if it has a
// realm, zone group and zone of its own name.
func (s *ObjectStoreSpec) ZoneName() string {
	if s.Zone == nil {
		return ""
	}
	return s.Zone.Name
}

// External tells whether the gateways of the store run elsewhere.
func (s *GatewaySpec) External() bool { return len(s.ExternalRGWEndpoints) > 0 }

// Replicas is the number of gateways to run.
func (s *GatewaySpec) Replicas() int32 {
	switch {
	case s.External():
		return 0
	case s.Instances == nil:
		return DefaultGatewayInstances
	}
	return *s.Instances
}

// PullEndpoint is the URL that the realm is taken over from, or empty if it is
// made here.
func (s *ObjectRealmSpec) PullEndpoint() string {
	if s.Pull == nil {
		return ""
	}
	return s.Pull.Endpoint
}

// PreservePools tells whether the zone's pools outlive this object.
func (s *ObjectZoneSpec) PreservePools() bool {
	return s.PreservePoolsOnDelete == nil || *s.PreservePoolsOnDelete
}

// StoreNamespace is the namespace of the user's store.
func (u *CephObjectStoreUser) StoreNamespace() string {
	if u.Spec.ClusterNamespace != "" {
		return u.Spec.ClusterNamespace
	}
	return u.Namespace
}

// AllowsUsersIn tells whether users of the store may be in a namespace. Those in
// the store's own always may.
func (s *CephObjectStore) AllowsUsersIn(namespace string) bool {
	if namespace == s.Namespace {
		return true
	}
	for _, allowed := range s.Spec.AllowUsersInNamespaces {
		if allowed == "*" || allowed == namespace {
			return true
		}
	}
	return false
}

// servingCertificate is the annotation with which OpenShift is asked for a Secret
// with a certificate for a Service.
const servingCertificate = "service.beta.openshift.io/serving-cert-secret-name"

// CertificateRef is the name of the Secret with the certificate of the store's
// gateways; empty if none is named.
func (s *CephObjectStore) CertificateRef() string {
	if s.Spec.Gateway.SSLCertificateRef != "" || s.Spec.Gateway.Service == nil {
		return s.Spec.Gateway.SSLCertificateRef
	}
	return s.Spec.Gateway.Service.Annotations[servingCertificate]
}
