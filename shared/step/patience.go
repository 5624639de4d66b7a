package step

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// patience is which part of the time that an object has waited for the same
	// thing it may go on waiting without a look.
	patience = 5
	// longest bounds that; a step that asks for more has its way.
	longest = 10 * time.Second
)

// Patience puts retries off that find the same again and again: an object waits
// as long as its step says at first, and for a fifth of the time that it has
// waited already later on, up to 10 s. So what comes is noticed at most that
// much too late. The zero value is ready for use, also by several workers.
type Patience struct{ waits sync.Map }

// waiting is how the pass of an object ended, and since when it ends so.
type waiting struct {
	report Report
	since  time.Time
}

// Result is that of the report with a retry put off. An object that waits for
// something else than before, or for nothing that has to be polled, begins anew.
func (p *Patience) Result(object types.NamespacedName, report Report, now time.Time) reconcile.Result {
	result := report.Result()
	if result.RequeueAfter == 0 {
		p.Forget(object)
		return result
	}
	last, _ := p.waits.Load(object)
	before, waited := last.(waiting)
	if !waited || before.report != report {
		before = waiting{report: report, since: now}
		p.waits.Store(object, before)
	}
	result.RequeueAfter = max(result.RequeueAfter, min(now.Sub(before.since)/patience, longest))
	return result
}

// Forget is for an object that is gone.
func (p *Patience) Forget(object types.NamespacedName) { p.waits.Delete(object) }
