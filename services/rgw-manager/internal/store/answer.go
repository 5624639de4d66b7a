package store

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// answerRetry is how often a gateway is asked that does not answer, and deniedRetry
// one that does not accept our keys.
const (
	answerRetry = 2 * time.Second
	deniedRetry = 10 * time.Second
)

// Admins asks gateways through their interface for administrators.
type Admins struct{ Pool *ops.Pool }

// Ping implements Gateways.
func (a Admins) Ping(ctx context.Context, store *api.CephObjectStore) (step.Outcome, error) {
	client, outcome, err := a.Pool.Client(ctx, store)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return answered(client.Ping(ctx))
}

// Buckets implements Gateways.
func (a Admins) Buckets(ctx context.Context, store *api.CephObjectStore) ([]string, step.Outcome, error) {
	client, outcome, err := a.Pool.Client(ctx, store)
	if err != nil || !outcome.IsDone() {
		return nil, outcome, err
	}
	list, err := client.Buckets(ctx)
	outcome, err = answered(err)
	return list, outcome, err
}

// Forget implements Gateways.
func (a Admins) Forget(store types.NamespacedName) { a.Pool.Forget(store) }

// answered words what came of a request. Why nobody answered differs from time to
// time, and is not told.
func answered(err error) (step.Outcome, error) {
	switch {
	case err == nil:
		return step.Done, nil
	case errors.Is(err, ops.ErrUnreachable):
		return step.Retry(answerRetry, api.ReasonGatewayUnreachable, "No gateway answers"), nil
	case errors.Is(err, ops.ErrDenied):
		return step.Retry(deniedRetry, api.ReasonGatewayRefused, "The gateways do not accept the keys of the user that we manage the store as"), nil
	}
	return step.None, err
}
