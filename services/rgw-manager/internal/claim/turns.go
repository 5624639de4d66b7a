package claim

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// purgers is how many workers empty buckets at the same time at most.
	purgers = 3
	// ask is how often a claim asks whether it is its turn, forgotten when one that
	// does not ask any more has lost it.
	ask, forgotten = time.Second, 10 * time.Second
)

// turns bound how many claims are emptied at the same time, and let them take turns:
// who has had one goes to the end of the line.
type turns struct {
	mu    sync.Mutex
	taken int
	line  []waiting
}

type waiting struct {
	claim types.UID
	asked time.Time
}

// take tells whether it is the turn of a claim, which then has to give it back.
func (t *turns) take(claim types.UID, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = slices.DeleteFunc(t.line, func(w waiting) bool { return now.Sub(w.asked) >= forgotten })
	at := slices.IndexFunc(t.line, func(w waiting) bool { return w.claim == claim })
	if at < 0 {
		at, t.line = len(t.line), append(t.line, waiting{claim: claim})
	}
	t.line[at].asked = now
	if t.taken+at >= purgers {
		return false
	}
	t.line = slices.Delete(t.line, at, at+1)
	t.taken++
	return true
}

func (t *turns) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
}
