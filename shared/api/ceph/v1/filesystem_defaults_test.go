package v1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestPoolsAreNamedAfterTheFileSystem(t *testing.T) {
	for name, test := range map[string]struct {
		spec     string
		metadata string
		data     []string
	}{
		"unnamed":            {`dataPools: [{}, {}]`, "fs-metadata", []string{"fs-data0", "fs-data1"}},
		"named":              {`{metadataPool: {name: m}, dataPools: [{name: a}, {}]}`, "fs-metadata", []string{"fs-a", "fs-data1"}},
		"as written":         {`{preservePoolNames: true, metadataPool: {name: m}, dataPools: [{name: a}, {}]}`, "m", []string{"a", "fs-data1"}},
		"unnamed as written": {`{preservePoolNames: true, metadataPool: {}, dataPools: [{}]}`, "fs-metadata", []string{"fs-data0"}},
	} {
		t.Run(name, func(t *testing.T) {
			fs := &api.CephFilesystem{}
			fs.Name = "fs"
			decode(t, test.spec, &fs.Spec)
			if diff := cmp.Diff(test.metadata, fs.MetadataPoolName()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.data, fs.DataPoolNames()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheCacheIsSizedByTheMemory(t *testing.T) {
	for name, test := range map[string]struct {
		spec string
		want int64
	}{
		"unknown memory":  {`{}`, 0},
		"no memory":       {`resources: {limits: {cpu: 1}}`, 0},
		"a limit":         {`resources: {limits: {memory: 4Gi}, requests: {memory: 1Gi}}`, 2 << 30},
		"a request":       {`resources: {requests: {memory: 1000}}`, 800},
		"a limit's share": {`{cacheMemoryLimitFactor: 0.25, resources: {limits: {memory: 4Gi}}}`, 1 << 30},
		"a request's":     {`{cacheMemoryRequestFactor: 1, resources: {requests: {memory: 4Gi}}}`, 4 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			var spec api.MetadataServerSpec
			decode(t, test.spec, &spec)
			if got := spec.CacheBytes(); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestEveryActiveDaemonHasItsStandby(t *testing.T) {
	alone := api.MetadataServerSpec{ActiveCount: 3}
	if got := alone.Daemons(); got != 3 {
		t.Errorf("got %d daemons, want 3", got)
	}
	alone.ActiveStandby = true
	if got := alone.Daemons(); got != 6 {
		t.Errorf("got %d daemons, want 6", got)
	}
}
