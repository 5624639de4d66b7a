// Command provisioner makes block pools and volumes in Ceph clusters.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/attachment"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/drivers"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/pool"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/provision"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/report"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/socket"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/librados"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// inFlight bounds the calls to one cluster at a time: as many as pools are
// worked on together.
const inFlight = 256

func main() {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	features := map[string]string{"librados": "not built"}
	if librados.Built() {
		features["librados"] = "built"
	}
	os.Exit(app.Main(app.Service{
		Name:           "provisioner",
		Usage:          "make block pools and volumes in Ceph clusters",
		Scheme:         scheme,
		LeaderElection: true,
		Features:       features,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "driver-prefix", EnvVars: []string{"CSI_DRIVER_PREFIX"},
				Usage: "what precedes .rbd.csi.ceph.com in the driver's name; the own namespace when empty"},
			&cli.StringFlag{Name: "csi-socket", EnvVars: []string{"CSI_SOCKET"},
				Usage: "also serve the CSI controller service on this Unix socket; off when empty"},
		},
		Cache: narrow,
		Setup: setup,
	}))
}

func setup(_ context.Context, mgr manager.Manager, c *cli.Context) error {
	prefix := c.String("driver-prefix")
	if prefix == "" {
		prefix = app.OwnNamespace(c)
	}
	driver := csi.RBDDriver(prefix)
	kube, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	finder := clusters.Finder{Clusters: mgr.GetClient(), Secrets: mgr.GetAPIReader(), Namespaces: served(c)}
	connections := &link.Connections{Dialer: librados.Dialer{InFlight: inFlight, Observe: app.Meter}}
	maps := &osdmap.Maps{}
	controller := &volumes.Controller{
		Clusters: finder, Connections: connections, NodeList: attachment.Nodes{Reader: mgr.GetAPIReader()},
	}
	runner := &provision.Runner{
		Client: kube, Log: mgr.GetLogger(),
		Provisioner: &provision.Provisioner{
			Driver: driver, Identity: string(uuid.NewUUID()) + "-" + driver, Volumes: controller, Secrets: finder, Attachments: mgr.GetClient(),
		},
	}
	errs := []error{
		mgr.Add(runner.Informers()),
		mgr.Add(runner),
		(&drivers.Reconciler{Client: mgr.GetClient(), Driver: driver}).Register(mgr),
		(&attachment.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Driver: driver, Volumes: controller, Secrets: finder, Clock: clock.RealClock{},
		}).Register(mgr),
		(&pool.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Sessions: &link.Sessions{Connections: connections, Secrets: finder},
			Maps: maps, Clock: clock.RealClock{}, Events: mgr.GetEventRecorder(pool.Name),
		}).Register(mgr),
		(&report.Reconciler{
			Client: mgr.GetClient(), Namespace: app.OwnNamespace(c), Secrets: finder, Clock: clock.RealClock{},
			Drop: func(clusterID string) { connections.Drop(clusterID); maps.Forget(clusterID) },
		}).Register(mgr),
	}
	if path := c.String("csi-socket"); path != "" {
		errs = append(errs, mgr.Add(socket.Server{Path: path, Driver: driver, Controller: controller, Log: mgr.GetLogger()}))
	}
	return errors.Join(errs...)
}

// served are the namespaces whose clusters we make volumes in.
func served(c *cli.Context) []string {
	if list := app.Namespaces(c); len(list) > 0 {
		return list
	}
	return []string{app.OwnNamespace(c)}
}

// narrow keeps only our own ConfigMap in memory.
func narrow(c *cli.Context, options *cache.Options) {
	options.ByObject = map[client.Object]cache.ByObject{
		&corev1.ConfigMap{}: {
			Namespaces: map[string]cache.Config{app.OwnNamespace(c): {}},
			Field:      fields.OneTermEqualSelector(metav1.ObjectNameField, names.CSIConfig),
		},
	}
}
