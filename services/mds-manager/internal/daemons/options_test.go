package daemons

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestOptions(t *testing.T) {
	const gib4 = "4294967296"
	says := func(who, option string) map[string]map[string]string {
		return map[string]map[string]string{who: {option: "1G"}}
	}
	tests := map[string]struct {
		config map[string]map[string]string
		factor *float64
		want   map[string]string
	}{
		"half of the memory is for the cache":                      {want: map[string]string{optionJoin: "myfs", optionCache: gib4}},
		"what is said of all metadata servers replaces a default":  {config: says("mds", optionCache), want: map[string]string{optionJoin: "myfs", optionCache: ""}},
		"and so does what is said of all daemons, however spelled": {config: says("global", "mds cache-memory limit"), want: map[string]string{optionJoin: "myfs", optionCache: ""}},
		"but not a share that was written down":                    {config: says("mds", optionCache), factor: ptr.To(0.5), want: map[string]string{optionJoin: "myfs", optionCache: gib4}},
		"what is said of one is kept by mon-manager":               {config: says("mds.myfs-a", optionCache), factor: ptr.To(0.5), want: map[string]string{optionJoin: "myfs"}},
		"also its file system":                                     {config: says("mds.myfs-a", optionJoin), want: map[string]string{optionCache: gib4}},
		"others do not matter":                                     {config: says("mds.myfs-b", optionCache), want: map[string]string{optionJoin: "myfs", optionCache: gib4}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			fs := &api.CephFilesystem{ObjectMeta: metav1.ObjectMeta{Name: "myfs"}}
			fs.Spec.MetadataServer.CacheMemoryLimitFactor = tc.factor
			fs.Spec.MetadataServer.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("8Gi")}}
			cluster := &api.CephCluster{Spec: api.ClusterSpec{CephConfig: tc.config}}
			if diff := cmp.Diff(tc.want, Options(cluster, fs, "myfs-a")); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}
