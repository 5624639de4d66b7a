package queue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/shared/queue"
)

func TestAQueueHandsOutWorkAndHasItsDepthAsOnlyMetric(t *testing.T) {
	const controller = "test.queue"
	options := queue.Workers(3)
	if options.MaxConcurrentReconciles != 3 {
		t.Errorf("got %d workers", options.MaxConcurrentReconciles)
	}
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Millisecond, time.Second)
	q := options.NewQueue(controller, limiter)
	defer q.ShutDown()
	first, second := request("a"), request("b")
	q.AddRateLimited(first)
	if got, _ := q.Get(); got != first {
		t.Errorf("got %v", got)
	}
	if limiter.NumRequeues(first) != 1 {
		t.Error("the queue does not use the rate limiter")
	}
	q.Add(second)
	if diff := cmp.Diff(map[string]float64{"rook_ceph_queue_depth": 1}, metricsOf(t, controller)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: name}}
}

// metricsOf returns the gauges that have the controller as a label.
func metricsOf(t *testing.T, controller string) map[string]float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetValue() == controller {
					found[family.GetName()] = metric.GetGauge().GetValue()
				}
			}
		}
	}
	return found
}
