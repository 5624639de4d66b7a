package queue_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/shared/queue"
)

func TestAQueueHandsOutWorkAndKeepsNoMetrics(t *testing.T) {
	options := queue.Workers(3)
	if options.MaxConcurrentReconciles != 3 {
		t.Errorf("got %d workers", options.MaxConcurrentReconciles)
	}
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Millisecond, time.Second)
	q := options.NewQueue("quiet-queue", limiter)
	defer q.ShutDown()
	want := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: "a"}}
	q.AddRateLimited(want)
	if got, _ := q.Get(); got != want {
		t.Errorf("got %v", got)
	}
	if limiter.NumRequeues(want) != 1 {
		t.Error("the queue does not use the rate limiter")
	}
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetValue() == "quiet-queue" {
					t.Errorf("%s has a metric of the queue", family.GetName())
				}
			}
		}
	}
}
