package chartcheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestTheImageOfOlderValuesFilesIsUsed holds the chart to the two places where
// values files have the Ceph image and the settings of monitoring.
func TestTheImageOfOlderValuesFilesIsUsed(t *testing.T) {
	type fields = map[string]any
	const reef = "registry.example.com/ceph:v18.2.7"
	for name, tc := range map[string]struct {
		values              fields
		version, monitoring fields
		refused             string
	}{
		"nothing is set": {
			version:    fields{"image": "quay.io/ceph/ceph:v20.2.4", "allowUnsupported": false, "imagePullPolicy": "IfNotPresent"},
			monitoring: fields{"enabled": false, "metricsDisabled": false},
		},
		"a tag": {
			values:     fields{"cephImage": fields{"tag": "v18.2.7"}},
			version:    fields{"image": "quay.io/ceph/ceph:v18.2.7", "allowUnsupported": false, "imagePullPolicy": "IfNotPresent"},
			monitoring: fields{"enabled": false, "metricsDisabled": false},
		},
		"the form of older values": {
			values: fields{"cephClusterSpec": fields{
				"cephVersion": fields{"image": reef, "allowUnsupported": true, "imagePullPolicy": "Always"},
				"monitoring":  fields{"metricsDisabled": true, "interval": "10s"},
			}},
			version:    fields{"image": reef, "allowUnsupported": true, "imagePullPolicy": "Always"},
			monitoring: fields{"enabled": false, "metricsDisabled": true, "interval": "10s"},
		},
		"both and alike": {
			values: fields{
				"cephImage":       fields{"repository": "registry.example.com/ceph", "tag": "v18.2.7"},
				"cephClusterSpec": fields{"cephVersion": fields{"image": reef}},
			},
			version:    fields{"image": reef, "allowUnsupported": false, "imagePullPolicy": "IfNotPresent"},
			monitoring: fields{"enabled": false, "metricsDisabled": false},
		},
		"two images": {
			values:  fields{"cephImage": fields{"tag": "v20.2.4"}, "cephClusterSpec": fields{"cephVersion": fields{"image": reef}}},
			refused: "cephClusterSpec.cephVersion.image is " + reef + " and cephImage is quay.io/ceph/ceph:v20.2.4: remove one of them",
		},
		"two minds about the metrics": {
			values:  fields{"monitoring": fields{"metricsDisabled": true}, "cephClusterSpec": fields{"monitoring": fields{"metricsDisabled": false}}},
			refused: "monitoring.metricsDisabled is true: remove one of them",
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects, _, err := render(t, "rook-ceph-cluster", tc.values)
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) {
					t.Errorf("got %v, want an error that says %q", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			cluster := ofKind(objects, "CephCluster")[0]
			for field, want := range map[string]fields{"cephVersion": tc.version, "monitoring": tc.monitoring} {
				got, _, err := unstructured.NestedMap(cluster.Object, "spec", field)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("spec.%s (-want +got):\n%s", field, diff)
				}
			}
		})
	}
}
