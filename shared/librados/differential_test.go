//go:build librados && integration

package librados_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// outcome is what one call gave: its value, or which sentinel its error is.
type outcome struct {
	Value any
	Error string
}

func play(ctx context.Context, one scene, client ceph.Client) (outcome, error) {
	value, err := one.do(ctx, client)
	if err != nil {
		return outcome{Value: value, Error: sentinel(err)}, err
	}
	return outcome{Value: value}, nil
}

func sentinel(err error) string {
	for name, known := range map[string]error{
		"ErrNotFound": ceph.ErrNotFound, "ErrExists": ceph.ErrExists, "ErrBusy": ceph.ErrBusy, "ErrDenied": ceph.ErrDenied,
		"ErrUnreachable": ceph.ErrUnreachable, "ErrAgain": ceph.ErrAgain, "ErrInvalid": ceph.ErrInvalid,
		"ErrNotEmpty": ceph.ErrNotEmpty, "ErrUnsupported": ceph.ErrUnsupported,
	} {
		if errors.Is(err, known) {
			return name
		}
	}
	return "other: " + err.Error()
}

// TestTheFakeActsLikeCeph plays one script on the fake and on real daemons of
// every release that is here, and compares each outcome.
func TestTheFakeActsLikeCeph(t *testing.T) {
	versions := map[string]string{"reef": "18.2.7", "tentacle": "20.2.4"}
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			version, known := versions[release]
			if !known {
				t.Skipf("no version known for %s", release)
			}
			fake := cephtest.New(t, cephtest.Version(version),
				cephtest.Mons("a", "b", "c"), cephtest.Mgrs("x", "y"), cephtest.OSDs(3))
			cluster := real.Start(t, librados.Dialer{}, real.Release(release),
				real.Mons("a", "b", "c"), real.Mgrs("x", "y"), real.OSDs(3))
			for _, one := range script() {
				compare(t, one, fake, cluster)
			}
		})
	}
}

func compare(t *testing.T, one scene, fake *cephtest.Cluster, cluster *real.Cluster) {
	t.Helper()
	start := time.Now()
	if one.loses != "" {
		fake.LoseMon(one.loses)
		cluster.Stop("mon." + one.loses)
	}
	want, fakeErr := play(t.Context(), one, fake.Client())
	got, realErr := play(t.Context(), one, cluster.Client())
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for attempt := 0; (one.settles || got.Error == "ErrAgain") && !cmp.Equal(want, got) && attempt < 25; attempt++ {
		<-ticker.C
		if err := cluster.Alive(); err != nil {
			t.Fatalf("%s: %v", one.name, err)
		}
		got, realErr = play(t.Context(), one, cluster.Client())
	}
	if took := time.Since(start); took > time.Second {
		t.Logf("%s took %s", one.name, took)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s: the fake differs (-real +fake):\n%s\nreal says: %v\nfake says: %v", one.name, diff, realErr, fakeErr)
	}
}
