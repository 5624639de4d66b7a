package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Settled tells whether Set would send nothing. Whoever must ask for leave
// before a change asks this first.
func (a Applier) Settled(ctx context.Context, owner client.Object, objs ...runtime.ApplyConfiguration) (bool, error) {
	for _, obj := range objs {
		desired, err := toUnstructured(obj)
		if err != nil {
			return false, err
		}
		live, desired, err := a.prepare(ctx, owner, desired)
		if err != nil || !a.settled(live, desired) {
			return false, err
		}
	}
	return true, nil
}
