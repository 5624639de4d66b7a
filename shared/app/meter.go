package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// commands times every Ceph command of the process, by prefix and result.
var commands = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "rook_ceph_command_duration_seconds",
	Help:    "Time from sending a Ceph command to its reply.",
	Buckets: []float64{.0005, .001, .0025, .005, .01, .05, .25, 1, 5, 15},
}, []string{"command", "result"})

func init() { metrics.Registry.MustRegister(commands) }

// Metered returns the dialer with every command of its connections timed.
func Metered(dialer ceph.Dialer) ceph.Dialer { return meteredDialer{dialer} }

type meteredDialer struct{ ceph.Dialer }

// Dial implements ceph.Dialer.
func (d meteredDialer) Dial(ctx context.Context, at api.Connection, key keyring.Key) (ceph.Conn, error) {
	conn, err := d.Dialer.Dial(ctx, at, key)
	if err != nil {
		return nil, err
	}
	return meteredConn{conn}, nil
}

type meteredConn struct{ ceph.Conn }

// Mon implements ceph.Conn.
func (c meteredConn) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return timed(ctx, cmd, c.Conn.Mon)
}

// Mgr implements ceph.Conn.
func (c meteredConn) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return timed(ctx, cmd, c.Conn.Mgr)
}

func timed(ctx context.Context, cmd ceph.Command, send func(context.Context, ceph.Command) (ceph.Reply, error)) (ceph.Reply, error) {
	began := time.Now()
	reply, err := send(ctx, cmd)
	commands.WithLabelValues(cmd.Prefix, result(err)).Observe(time.Since(began).Seconds())
	return reply, err
}

// result is what a command came to, in a few words with few values.
func result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ceph.ErrUnreachable), errors.Is(err, context.Canceled):
		return "unreachable"
	default:
		return "refused"
	}
}
