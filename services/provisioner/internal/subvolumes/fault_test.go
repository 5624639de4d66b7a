package subvolumes_test

import (
	"fmt"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

// withEveryFault lives one life of a volume for each journal call of its steps,
// which fails before or after its effect; a step that fails is tried once more. The
// check looks at what is left.
func withEveryFault(t *testing.T, begin func(w world) []func() error, check func(w world, fault string)) {
	t.Helper()
	life := func(w world, fail func()) (calls int, err error) {
		steps := begin(w)
		before := len(w.omaps.Calls())
		fail()
		for i, step := range steps {
			if err = step(); err != nil {
				err = step()
			}
			if err != nil {
				return 0, fmt.Errorf("step %d: %w", i, err)
			}
		}
		return len(w.omaps.Calls()) - before, nil
	}
	calls, err := life(start(t), func() {})
	if err != nil || calls < 10 {
		t.Fatalf("a life without faults took %d calls, %v", calls, err)
	}
	for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
		for n := range calls {
			w, fault := start(t), fmt.Sprintf("fault %d at call %d", moment, n)
			if _, err := life(w, func() { w.omaps.FailAt(n, moment) }); err != nil {
				t.Errorf("%s: %v", fault, err)
			}
			check(w, fault)
		}
	}
}
