// Command rgw-manager keeps the object stores of every CephCluster.
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setup"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

func main() {
	os.Exit(app.Main(app.Service{
		Name:           gateway.Service,
		Usage:          "keep the object stores of Ceph clusters",
		Scheme:         setup.Scheme(),
		LeaderElection: true,
		Features:       map[string]string{"librados": built()},
		Cache:          func(_ *cli.Context, options *cache.Options) { setup.Narrow(options) },
		Setup: func(_ context.Context, mgr manager.Manager, c *cli.Context) error {
			return setup.Controllers(mgr, librados.Dialer{}, app.OwnImage(c))
		},
	}))
}

func built() string {
	if librados.Built() {
		return "built"
	}
	return "not built"
}
