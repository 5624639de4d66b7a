package queue

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// depth is how much waits in the queue of a controller.
var depth = prometheus.NewDesc("rook_ceph_queue_depth", "Objects that wait for a controller.", []string{"controller"}, nil)

// known are the queues of the process, the newest of each controller.
var known = &depths{}

func init() { metrics.Registry.MustRegister(known) }

// depths asks queues for their length whenever metrics are read.
type depths struct{ queues sync.Map }

// Describe implements prometheus.Collector.
func (*depths) Describe(to chan<- *prometheus.Desc) { to <- depth }

// Collect implements prometheus.Collector.
func (d *depths) Collect(to chan<- prometheus.Metric) {
	d.queues.Range(func(key, value any) bool {
		controller, named := key.(string)
		queue, measured := value.(interface{ Len() int })
		if named && measured {
			to <- prometheus.MustNewConstMetric(depth, prometheus.GaugeValue, float64(queue.Len()), controller)
		}
		return true
	})
}
