package pools

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Tried remembers, by the UID of its object, what was last done to pools. The zero value
// is ready for use, by several passes at once.
type Tried struct{ last sync.Map }

// After has pools that were changed looked at once more: soon, or after a while when the
// same was done before, since Ceph takes it and does not show it.
func (t *Tried) After(of types.UID, changes string) step.Outcome {
	if changes == "" {
		t.Forget(of)
		return step.Done
	}
	if before, ok := t.last.Swap(of, changes); ok && before == changes {
		return step.Retry(refusedRetry, "NotTaken", "Ceph takes settings of the pools and does not keep them; see `parameters`")
	}
	return step.Retry(Again, "Configuring", "Configuring the pools")
}

// Forget is for objects that are gone.
func (t *Tried) Forget(of types.UID) { t.last.Delete(of) }
