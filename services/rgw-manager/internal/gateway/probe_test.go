package gateway_test

import (
	"testing"

	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestProbesAskForWhatGatewaysServe(t *testing.T) {
	config := func(name, value string) func(*api.ObjectStoreSpec) {
		return func(s *api.ObjectStoreSpec) { s.Gateway.RGWConfig = map[string]string{name: value} }
	}
	for name, tc := range map[string]struct {
		edit func(*api.ObjectStoreSpec)
		// path is empty for a probe of the port.
		path string
	}{
		"all protocols":        {func(*api.ObjectStoreSpec) {}, "/swift/healthcheck"},
		"S3 by protocols":      {func(s *api.ObjectStoreSpec) { s.Protocols.EnableAPIs = []api.ObjectStoreAPI{api.ObjectStoreAPIS3} }, "/"},
		"S3 by rgwConfig":      {config("rgw_enable_apis", "s3, admin"), "/"},
		"neither by rgwConfig": {config("rgw_enable_apis", "admin"), ""},
		"prefix by protocols": {func(s *api.ObjectStoreSpec) {
			s.Protocols.Swift = &api.SwiftSpec{URLPrefix: ptr.To("/files/")}
		}, "/files/healthcheck"},
		"prefix by rgwConfig": {config("rgw_swift_url_prefix", "files"), "/files/healthcheck"},
		"no prefix":           {config("rgw_swift_url_prefix", "/"), "/healthcheck"},
		"flags win": {func(s *api.ObjectStoreSpec) {
			s.Gateway.RGWConfig = map[string]string{"rgw_enable_apis": "s3"}
			s.Gateway.RGWCommandFlags = map[string]string{"rgw-enable-apis": "swift,swift_auth,admin"}
		}, "/swift/healthcheck"},
	} {
		t.Run(name, func(t *testing.T) {
			probe := gateway.Deployment(someSpec(tc.edit)).Spec.Template.Spec.Containers[0].ReadinessProbe
			if tc.path == "" && probe.TCPSocket == nil || tc.path != "" && (probe.HTTPGet == nil || *probe.HTTPGet.Path != tc.path) {
				t.Errorf("want %q, got %+v", tc.path, probe.ProbeHandlerApplyConfiguration)
			}
		})
	}
}
