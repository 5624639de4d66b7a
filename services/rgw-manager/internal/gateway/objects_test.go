package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/golden"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

func someSpec(edit ...func(*api.ObjectStoreSpec)) gateway.Spec {
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-store"}}
	store.Spec.Gateway.Port = 80
	for _, e := range edit {
		e(&store.Spec)
	}
	return gateway.Spec{
		Cluster: &api.CephCluster{
			ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"},
			Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v20.2.4"}},
			Status:     api.ClusterStatus{Connection: &api.Connection{FSID: "11111111-2222-3333-4444-555555555555"}},
		},
		Store: store, Site: gateway.Site{Realm: "my-store", ZoneGroup: "my-store", Zone: "my-store"},
		Images: gateway.Images{Ours: "rook-ceph/rgw-manager:v1", Ceph: "ceph:v20.2.4"}, OptionNames: "rgw_zone",
	}
}

func TestAPlainStore(t *testing.T) {
	s := someSpec()
	golden.Objects(t, "plain", gateway.Deployment(s), gateway.ServiceOf(s.Cluster, s.Store), gateway.Budget(s.Store, "my-cluster"),
		gateway.Secret(s.Store, "my-cluster", keyring.Key{Entity: "client.rgw.my-store.a", Secret: "secret"}),
		gateway.AdminOps(s.Store, "my-cluster", "ACCESS", "SECRET"))
}

func TestAStoreWithAllThatCanBeSet(t *testing.T) {
	s := someSpec(func(spec *api.ObjectStoreSpec) {
		spec.Gateway = api.GatewaySpec{
			SecurePort: 443, Instances: ptr.To[int32](3), SSLCertificateRef: "tls", CABundleRef: "roots",
			Annotations: api.Annotations{"note": "a"}, Labels: api.Labels{"team": "b"}, PriorityClassName: "high",
			Resources:   &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}},
			Placement:   api.Placement{Tolerations: []corev1.Toleration{{Key: "storage", Operator: corev1.TolerationOpExists}}},
			Service:     &api.RGWServiceSpec{Annotations: api.Annotations{"lb": "yes"}},
			HostNetwork: ptr.To(true), RGWCommandFlags: map[string]string{"debug_rgw": "5", "rgw-max-put-size": "1"},
			AdditionalVolumeMounts: []api.AdditionalVolumeMount{{SubPath: "ldap", VolumeSource: &api.FileVolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "ldap"}}}},
		}
		spec.Security = &api.ObjectStoreSecuritySpec{SSLOptions: []string{"no_tlsv1", "no_tlsv1_1"}, Ciphers: []string{"HIGH", "!aNULL"}}
		spec.HealthCheck = &api.ObjectHealthCheckSpec{
			StartupProbe:   &api.ProbeSpec{Disabled: true},
			ReadinessProbe: &api.ProbeSpec{Probe: &corev1.Probe{PeriodSeconds: 30}},
		}
	})
	s.Certificate = gateway.Certificate{Secret: "tls", KeyApart: true, Print: "1"}
	s.Bundle = gateway.Certificate{Secret: "roots", Print: "2"}
	golden.Objects(t, "all", gateway.Deployment(s), gateway.ServiceOf(s.Cluster, s.Store))
}

func TestGatewaysElsewhereHaveAServiceAndSlices(t *testing.T) {
	s := someSpec(func(spec *api.ObjectStoreSpec) {
		spec.Gateway.ExternalRGWEndpoints = []api.EndpointAddress{{IP: "10.0.0.1"}, {IP: "fd00::1"}, {IP: "10.0.0.2"}}
	})
	objs := []any{gateway.ServiceOf(s.Cluster, s.Store)}
	for _, slice := range gateway.Slices(s.Cluster, s.Store) {
		objs = append(objs, slice)
	}
	golden.Objects(t, "external", objs...)
	if got := gateway.URL(s.Store); got != "http://rook-ceph-rgw-my-store.rook-ceph.svc:80" {
		t.Errorf("URL %s", got)
	}
	s.Store.Spec.Gateway.ExternalRGWEndpoints = append(s.Store.Spec.Gateway.ExternalRGWEndpoints, api.EndpointAddress{Hostname: "s3.example.com"})
	if got := gateway.URL(s.Store); got != "http://s3.example.com:80" {
		t.Errorf("URL %s with a host name", got)
	}
}

func TestAChangedCertificateChangesThePods(t *testing.T) {
	s := someSpec(func(spec *api.ObjectStoreSpec) { spec.Gateway.SecurePort = 443 })
	print := func(content string) string {
		var missing string
		s.Certificate, missing = gateway.ReadCertificate(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "tls"}, Data: map[string][]byte{"cert": []byte(content)}})
		if missing != "" {
			t.Fatalf("%s is missing", missing)
		}
		for _, value := range gateway.Deployment(s).Spec.Template.Annotations {
			if strings.Contains(value, content) {
				t.Errorf("the annotation tells the certificate: %s", value)
			}
		}
		return gateway.Deployment(s).Spec.Template.Annotations["ceph.rook.io/start-print"]
	}
	if one, other := print("private one"), print("private other"); one == other {
		t.Errorf("both have %s", one)
	}
}

func TestASecretThatIsNoCertificateNamesWhatItLacks(t *testing.T) {
	for name, test := range map[string]struct {
		secret corev1.Secret
		want   string
	}{
		"nothing":        {corev1.Secret{}, "cert"},
		"tls without":    {corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.crt": {1}}}, "tls.key"},
		"opaque tls":     {corev1.Secret{Data: map[string][]byte{"tls.crt": {1}, "tls.key": {1}}}, ""},
		"opaque half":    {corev1.Secret{Data: map[string][]byte{"tls.crt": {1}}}, "tls.key"},
		"whole":          {corev1.Secret{Data: map[string][]byte{"cert": {1}}}, ""},
		"empty tls type": {corev1.Secret{Type: corev1.SecretTypeTLS}, "tls.crt"},
	} {
		if _, got := gateway.ReadCertificate(&test.secret); got != test.want {
			t.Errorf("%s: lacks %q, want %q", name, got, test.want)
		}
	}
}

func TestASingleGatewayIsReplacedWithoutAPause(t *testing.T) {
	for name, test := range map[string]struct {
		instances int32
		host      bool
		surge     int
	}{"one": {1, false, 1}, "two": {2, false, 0}, "one on the host's port": {1, true, 0}} {
		s := someSpec(func(spec *api.ObjectStoreSpec) {
			spec.Gateway.Instances, spec.Gateway.HostNetwork = &test.instances, &test.host
		})
		rolling := gateway.Deployment(s).Spec.Strategy.RollingUpdate
		if rolling.MaxSurge.IntValue() != test.surge || rolling.MaxUnavailable.IntValue() != 1-test.surge {
			t.Errorf("%s: %+v", name, rolling)
		}
	}
}

func TestOptionsFollowTheSpec(t *testing.T) {
	s := someSpec(func(spec *api.ObjectStoreSpec) {
		spec.Gateway.DisableMultisiteSyncTraffic = true
		spec.Gateway.RGWConfig = map[string]string{"rgw_enable_usage_log": "false", "rgw_x": "1"}
		spec.Protocols = api.ProtocolSpec{
			S3:    &api.S3Spec{Enabled: ptr.To(false)},
			Swift: &api.SwiftSpec{AccountInURL: ptr.To(true), URLPrefix: ptr.To("foo"), VersioningEnabled: ptr.To(false)},
		}
	})
	want := map[string]string{
		"rgw_realm": "my-store", "rgw_zonegroup": "my-store", "rgw_zone": "my-store", "rgw_log_nonexistent_bucket": "true",
		"rgw_log_object_name_utc": "true", "rgw_enable_usage_log": "false", "rgw_run_sync_thread": "false", "rgw_x": "1", "rgw_y": "hidden",
		"rgw_enable_apis":          "s3website, swift, swift_auth, admin, sts, iam, notifications",
		"rgw_swift_account_in_url": "true", "rgw_swift_url_prefix": "foo", "rgw_swift_versioning_enabled": "false",
		"rgw_swift_url": "http://rook-ceph-rgw-my-store.rook-ceph.svc:80",
	}
	if diff := cmp.Diff(want, gateway.Options(s.Store, s.Site, map[string]string{"rgw_y": "hidden"})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	s.Store.Spec.Protocols = api.ProtocolSpec{EnableAPIs: []api.ObjectStoreAPI{"s3"}}
	if got := gateway.Options(s.Store, s.Site, nil)["rgw_enable_apis"]; got != "s3, admin" {
		t.Errorf("APIs %s, want the one for administrators among them", got)
	}
}

func TestSwiftGoesOnWhereTheServiceListens(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*api.ObjectStoreSpec)
		want string
	}{
		"over HTTP":              {func(*api.ObjectStoreSpec) {}, "http://rook-ceph-rgw-my-store.rook-ceph.svc:80"},
		"over HTTP and over TLS": {func(spec *api.ObjectStoreSpec) { spec.Gateway.SecurePort = 443 }, ""},
		"where it is advertised": {func(spec *api.ObjectStoreSpec) {
			spec.Gateway.SecurePort = 443
			spec.Hosting = &api.ObjectStoreHostingSpec{AdvertiseEndpoint: &api.ObjectEndpointSpec{DNSName: "s3.example.com", Port: 8443, UseTLS: true}}
		}, "https://s3.example.com:8443"},
		"where the user says": {func(spec *api.ObjectStoreSpec) {
			spec.Gateway.RGWConfig = map[string]string{"rgw_swift_url": "http://example.com"}
		}, "http://example.com"},
	} {
		s := someSpec(test.edit)
		if got := gateway.Options(s.Store, s.Site, nil)["rgw_swift_url"]; got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestPeopleAreToldTheAdvertisedEndpointFirst(t *testing.T) {
	s := someSpec(func(spec *api.ObjectStoreSpec) {
		spec.Gateway.SecurePort = 443
		spec.Hosting = &api.ObjectStoreHostingSpec{
			AdvertiseEndpoint: &api.ObjectEndpointSpec{DNSName: "s3.example.com", Port: 8443, UseTLS: true}, DNSNames: []string{"cdn.example.com", "s3.example.com"},
		}
	})
	want := api.ObjectEndpoints{
		Insecure: []string{"http://rook-ceph-rgw-my-store.rook-ceph.svc:80"},
		Secure:   []string{"https://s3.example.com:8443", "https://rook-ceph-rgw-my-store.rook-ceph.svc:443"},
	}
	if diff := cmp.Diff(want, gateway.Endpoints(s.Store)); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	if got := gateway.Hostnames(s.Store); !slices.Equal(got, []string{"cdn.example.com", "rook-ceph-rgw-my-store.rook-ceph.svc", "s3.example.com"}) {
		t.Errorf("host names %v", got)
	}
}
