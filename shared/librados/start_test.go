//go:build librados && integration

package librados_test

import (
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

func TestRealClusterStarts(t *testing.T) {
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			start := time.Now()
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(3))
			t.Logf("up after %s", time.Since(start))
			health, err := cluster.Client().HealthDetail(t.Context())
			t.Logf("%+v %v", health, err)
		})
	}
}
