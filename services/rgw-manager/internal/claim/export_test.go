package claim

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// Occupy has other claims hold turns until they are released.
func (r *Reconciler) Occupy(count int) (release func()) {
	for number := range count {
		r.purging.take(types.UID(fmt.Sprint("other-", number)), r.Clock.Now())
	}
	return func() {
		for range count {
			r.purging.giveBack()
		}
	}
}
