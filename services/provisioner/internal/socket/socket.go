// Package socket serves the CSI controller service on a Unix socket, for
// conformance tests and for tools that speak CSI. Provisioning itself does not
// go through it.
package socket

import (
	"context"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"google.golang.org/grpc"

	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/version"
)

// Server is the socket.
type Server struct {
	Path       string
	Driver     string
	Controller csipb.ControllerServer
	Log        logr.Logger
}

// Start serves until ctx ends.
func (s Server) Start(ctx context.Context) error {
	return serve.Socket(ctx, s.Log, s.Path, func(server *grpc.Server) {
		csipb.RegisterIdentityServer(server, &serve.Identity{Driver: s.Driver, Version: version.String(), Role: serve.Controller})
		csipb.RegisterControllerServer(server, s.Controller)
	})
}
