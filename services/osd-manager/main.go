// Command osd-manager keeps the OSDs of every CephCluster.
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/setup"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

func main() {
	os.Exit(app.Main(app.Service{
		Name:           fleet.Service,
		Usage:          "keep the OSDs of Ceph clusters",
		Scheme:         setup.Scheme(),
		LeaderElection: true,
		Features:       map[string]string{"librados": built()},
		Cache:          func(_ *cli.Context, options *cache.Options) { setup.Narrow(options) },
		Setup: func(_ context.Context, mgr manager.Manager, c *cli.Context) error {
			return setup.Controllers(mgr, librados.Dialer{Observe: app.Meter}, app.OwnImage(c))
		},
	}))
}

func built() string {
	if librados.Built() {
		return "built"
	}
	return "not built"
}
