package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// stopGrace is how long calls in flight may go on after the context ends.
const stopGrace = 20 * time.Second

// Socket serves gRPC services on the Unix socket at path until ctx ends, then
// waits for calls in flight and removes the socket. A socket that a killed
// predecessor left behind is replaced.
func Socket(ctx context.Context, log logr.Logger, path string, register func(*grpc.Server)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("make directory of socket: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	remove := removal(listener, path)
	server := grpc.NewServer(grpc.UnaryInterceptor(observer(log)))
	register(server)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", path, err)
	case <-ctx.Done():
	}
	stopped := make(chan struct{})
	go func() { server.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(stopGrace):
		server.Stop()
	}
	<-failed
	return remove()
}

// removal returns how to remove the socket at the end, unless a successor has
// put its own in that place by then.
func removal(listener net.Listener, path string) func() error {
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
	}
	own, unseen := os.Stat(path)
	return func() error {
		if seen, gone := os.Stat(path); unseen != nil || gone != nil || !os.SameFile(own, seen) {
			return nil //nolint:nilerr // a socket that is gone or not ours is not ours to remove
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove socket: %w", err)
		}
		return nil
	}
}

// observer gives handlers a logger and logs calls that fail. Requests are never
// logged: they carry Secrets.
func observer(log logr.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		response, err := handler(logr.NewContext(ctx, log), request)
		if err == nil {
			return response, nil
		}
		err = Status(err)
		log.Info("call refused", "method", info.FullMethod, "code", status.Code(err).String(), "error", err.Error())
		return response, err
	}
}

// Status gives every error a gRPC code: what carries one keeps it, a context
// that ended maps to its code, all else is Internal.
func Status(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	var coded interface{ GRPCStatus() *status.Status }
	switch {
	case errors.As(err, &coded):
		return status.Error(coded.GRPCStatus().Code(), err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}
