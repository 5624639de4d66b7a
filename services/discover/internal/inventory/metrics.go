package inventory

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the figures of this controller. A nil Metrics counts nothing.
type Metrics struct {
	disks   *prometheus.GaugeVec
	probes  prometheus.Counter
	seconds prometheus.Histogram
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		disks: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rook_discover_disks", Help: "Disks of this node by state and reason.",
		}, []string{"state", "reason"}),
		probes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rook_discover_devices_scanned_total", Help: "Block devices looked at since the start.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rook_discover_scan_seconds", Help: "Time that one look at all changed devices took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	for _, collector := range []prometheus.Collector{m.disks, m.probes, m.seconds} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) observe(plan Plan, scanned int, took time.Duration) {
	if m == nil {
		return
	}
	m.disks.Reset()
	for _, entry := range plan.Keep {
		m.disks.WithLabelValues(string(entry.Status.Probe.State), entry.Status.Probe.Reason).Inc()
	}
	if scanned > 0 {
		m.probes.Add(float64(scanned))
		m.seconds.Observe(took.Seconds())
	}
}
