//go:build librados && integration

package librados_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// TestAClientOfARemovedMonIsAnswered takes the mon out of the map to which a
// connection is attached, and knows no other by its own. The others have to
// answer soon: when the mon ended, after the 10 s or so in which they notice;
// when it hangs and its sockets stay open, after the connection's own pings.
func TestAClientOfARemovedMonIsAnswered(t *testing.T) {
	const bound = 30 * time.Second
	for name, remove := range map[string]func(*testing.T, *real.Cluster){
		"it_ended_before": func(_ *testing.T, cluster *real.Cluster) { cluster.RemoveMon("c") },
		"it_hangs": func(t *testing.T, cluster *real.Cluster) {
			cluster.Pause("mon.c")
			if err := cluster.Client().MonRemove(t.Context(), "c"); err != nil && !errors.Is(err, ceph.ErrUnreachable) {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := real.Start(t, librados.Dialer{}, real.Mons("a", "b", "c"), real.Mgrs())
			at := cluster.Connection()
			at.MonHost = strings.Split(at.MonHost, ",")[2]
			conn, err := librados.Dialer{}.Dial(t.Context(), at, cluster.Admin())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			start := time.Now()
			remove(t, cluster)
			cluster.Await("the others answer", func(ctx context.Context) (bool, error) {
				ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				quorum, err := ceph.Client{Conn: conn}.QuorumStatus(ctx)
				return len(quorum.MonMap.Mons) == 2, err
			})
			if took := time.Since(start); took > bound {
				t.Errorf("the first answer came after %s", took)
			}
		})
	}
}
