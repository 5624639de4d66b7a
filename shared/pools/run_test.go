package pools_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
)

func TestWhatCephRefusesStallsAndIsLookedAtAgain(t *testing.T) {
	refused := &ceph.Error{Errno: syscall.EINVAL, Status: "invalid value"}
	operation := pools.Operation{Kind: pools.SetParameter, Name: "p", Key: "compression_mode"}
	outcome, known := pools.Expected(operation, pools.Observed{}, refused)
	if !known || !outcome.IsStalled() || outcome.After != 30*time.Second {
		t.Errorf("got %+v, %t", outcome, known)
	}
	if _, known := pools.Expected(operation, pools.Observed{}, errors.ErrUnsupported); known {
		t.Error("a failure of ours was taken for a refusal")
	}
}
