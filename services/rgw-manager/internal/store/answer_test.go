package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestSilenceAndRefusalAreWaitedForAndAllElseIsAnError(t *testing.T) {
	unexpected := errors.New("odd")
	for name, test := range map[string]struct {
		err    error
		reason string
		want   error
	}{
		"answer":  {nil, "", nil},
		"silence": {fmt.Errorf("ping: %w", ops.ErrUnreachable), api.ReasonGatewayUnreachable, nil},
		"refusal": {&ops.Error{Kind: ops.ErrDenied}, api.ReasonGatewayRefused, nil},
		"else":    {unexpected, "", unexpected},
	} {
		outcome, err := answered(test.err)
		if !errors.Is(err, test.want) || outcome.Reason != test.reason || outcome.IsDone() != (test.err == nil) {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
	}
}
