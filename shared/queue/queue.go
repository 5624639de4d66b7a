// Package queue makes the work queues of controllers, and says what comes back into
// them when something else changes.
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

// quiet is the usual queue without its own metrics: to keep them, each queue would
// wake the process twice a second, which costs an idle service more than all its
// work. The depth is read when somebody asks for it instead.
func quiet(controller string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	const unnamed = "" // a queue with a name has metrics
	made := priorityqueue.New(unnamed, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter })
	known.queues.Store(controller, made)
	return made
}
