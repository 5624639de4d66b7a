package ops

import (
	"errors"
	"fmt"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// refusedRetry is how often a gateway is asked again for what it refused.
const refusedRetry = 30 * time.Second

// cutOffRetry is how soon a gateway is asked again that broke off: it is there.
const cutOffRetry = time.Second

// Outcome words the answers of the gateways of a store that are no surprise. It
// passes on any other error, and nil is Done.
func Outcome(err error, store string) (step.Outcome, error) {
	switch {
	case err == nil:
		return step.Done, nil
	case errors.Is(err, ErrUnreachable):
		return step.Retry(connectRetry, api.ReasonGatewayUnreachable, fmt.Sprintf("No gateway of CephObjectStore '%s' answers", store)), nil
	case errors.Is(err, ErrCutOff):
		return step.Retry(cutOffRetry, api.ReasonGatewayUnreachable, fmt.Sprintf("A gateway of CephObjectStore '%s' broke off its answer", store)), nil
	case errors.Is(err, ErrDenied), errors.Is(err, ErrInvalid), errors.Is(err, ErrQuota):
		return step.Retry(refusedRetry, api.ReasonGatewayRefused, fmt.Sprintf("CephObjectStore '%s' refuses: %s", store, refused(err))), nil
	}
	return step.None, err
}

// refused words a refusal for people.
func refused(err error) string {
	var told *Error
	if errors.As(err, &told) && told.Verb != "" {
		return told.Verb + ": " + Code(err)
	}
	return Code(err)
}
