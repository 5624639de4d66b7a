// Command mon-manager keeps the monitors and managers of Ceph clusters, their
// identity, users, configuration and health. See README.md.
package main

import (
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/librados"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/setup"
)

func main() {
	os.Exit(app.Main(app.Service{
		Name:           setup.Service,
		Usage:          "keeps the monitors and managers of Ceph clusters",
		Scheme:         scheme(),
		LeaderElection: true,
		Features:       map[string]string{"librados": built()},
		Cache:          setup.Cache,
		Setup:          setup.Controllers(librados.Dialer{ConnectTimeout: setup.ConnectTimeout, Observe: app.Meter}),
	}))
}

func scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	utilruntime.Must(inventory.AddToScheme(scheme))
	return scheme
}

func built() string {
	if !librados.Built() {
		return "not built"
	}
	return "built " + librados.Version()
}
