// Package queue makes the work queues of controllers.
package queue

import (
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Workers are the options of a controller that works at up to count objects at
// the same time, and whose queue wakes for work only.
func Workers(count int) controller.Options {
	return controller.Options{MaxConcurrentReconciles: count, NewQueue: quiet}
}

// quiet is the usual queue without its metrics: to keep them, each queue would
// wake the process twice a second, which costs an idle service more than all its
// work. What a controller does is counted and timed by controller-runtime all the
// same.
func quiet(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	const unnamed = "" // a queue with a name has metrics
	return priorityqueue.New(unnamed, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter })
}
