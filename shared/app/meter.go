package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// commands times every Ceph command of the process, by prefix and result.
var commands = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "rook_ceph_command_duration_seconds",
	Help:    "Time from sending a Ceph command to its reply.",
	Buckets: []float64{.0005, .001, .0025, .005, .01, .05, .25, 1, 5, 15},
}, []string{"command", "result"})

func init() { metrics.Registry.MustRegister(commands) }

// Meter times one Ceph command from now until what it returns is called. It fits
// librados.Dialer.Observe.
func Meter(cmd ceph.Command) func(error) {
	began := time.Now()
	return func(err error) {
		commands.WithLabelValues(cmd.Prefix, result(err)).Observe(time.Since(began).Seconds())
	}
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
