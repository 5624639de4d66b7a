package link

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// Metrics are the gauges and counters of the connections. The zero value counts
// nothing.
type Metrics struct {
	up    *prometheus.GaugeVec
	polls *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) (Metrics, error) {
	m := Metrics{
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rook_ceph_link_up", Help: "1 while the monitors of the cluster answer this service.",
		}, []string{"namespace", "cluster"}),
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rook_ceph_link_polls_total", Help: "Looks at the cluster, by result.",
		}, []string{"namespace", "cluster", "result"}),
	}
	for _, collector := range []prometheus.Collector{m.up, m.polls} {
		if err := registry.Register(collector); err != nil {
			return Metrics{}, err
		}
	}
	return m, nil
}

// looked counts one look at a cluster.
func (m Metrics) looked(name types.NamespacedName, err error) {
	if m.up == nil {
		return
	}
	result, up := "ok", 1.0
	if err != nil {
		result, up = "failed", 0
	}
	m.polls.WithLabelValues(name.Namespace, name.Name, result).Inc()
	m.up.WithLabelValues(name.Namespace, name.Name).Set(up)
}

// forget drops the series of a cluster that is gone.
func (m Metrics) forget(name types.NamespacedName) {
	if m.up == nil {
		return
	}
	labels := prometheus.Labels{"namespace": name.Namespace, "cluster": name.Name}
	m.up.DeletePartialMatch(labels)
	m.polls.DeletePartialMatch(labels)
}
