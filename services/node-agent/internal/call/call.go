// Package call holds what the calls of both node services share: what they say of
// themselves, as whom they speak to Ceph, the gRPC code of an error and the check of
// required fields.
package call

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// Coded gives an error of Ceph or of a way to attach or mount its gRPC code.
func Coded(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	code := codes.Internal
	switch {
	case errors.Is(err, ceph.ErrNotFound):
		code = codes.NotFound
	case errors.Is(err, ceph.ErrDenied):
		code = codes.Unauthenticated
	case errors.Is(err, ceph.ErrUnreachable), errors.Is(err, ceph.ErrAgain), errors.Is(err, ceph.ErrBusy):
		code = codes.Unavailable
	case errors.Is(err, attach.ErrNoBackend), errors.Is(err, fsmount.ErrNoMounter), errors.Is(err, journal.ErrHeld):
		code = codes.FailedPrecondition
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	}
	return status.Error(code, err.Error())
}

// Required refuses a request that lacks a field.
func Required(fields ...string) error {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i+1] == "" {
			return status.Error(codes.InvalidArgument, fmt.Sprintf("%s is missing", fields[i]))
		}
	}
	return nil
}
