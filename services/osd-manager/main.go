// Command osd-manager keeps the OSDs of every CephCluster.
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/session"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/setup"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

const flagImage = "own-image"

func main() {
	os.Exit(app.Main(app.Service{
		Name:           session.Service,
		Usage:          "keep the OSDs of Ceph clusters",
		Scheme:         setup.Scheme(),
		LeaderElection: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagImage, EnvVars: []string{"OWN_IMAGE"}, Required: true,
				Usage: "image of this service, which brings its helpers into the pods of OSDs"},
		},
		Features: map[string]string{"librados": built()},
		Cache:    func(_ *cli.Context, options *cache.Options) { setup.Narrow(options) },
		Setup: func(_ context.Context, mgr manager.Manager, c *cli.Context) error {
			return setup.Controllers(mgr, librados.Dialer{}, c.String(flagImage))
		},
	}))
}

func built() string {
	if librados.Built() {
		return "built"
	}
	return "not built"
}
