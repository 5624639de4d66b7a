package serve

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Turns admits one call per name or handle at a time; a second one is told to
// come again, as the CSI specification asks. The zero value is ready.
type Turns struct{ busy sync.Map }

// Take refuses with codes.Aborted while another call has the turn.
func (t *Turns) Take(name string) (end func(), err error) {
	if _, taken := t.busy.LoadOrStore(name, struct{}{}); taken {
		return nil, status.Errorf(codes.Aborted, "another operation on %s is in progress", name)
	}
	return func() { t.busy.Delete(name) }, nil
}
