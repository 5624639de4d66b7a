// Command provisioner makes block pools, and RBD and CephFS volumes, in Ceph
// clusters.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
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
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/content"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/drivers"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/osdmap"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/pool"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/provision"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/report"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/resize"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/snapshot"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/socket"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/subvolumes"
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

// copyPatience is how long a claim waits in one call for a copy of its source.
const copyPatience = 20 * time.Second

func main() {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	utilruntime.Must(snapshotv1.AddToScheme(scheme))
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
				Usage: "what precedes .rbd.csi.ceph.com and .cephfs.csi.ceph.com in the drivers' names; the own namespace when empty"},
			&cli.StringFlag{Name: "csi-socket", EnvVars: []string{"CSI_SOCKET"},
				Usage: "also serve the CSI controller service for RBD on this Unix socket; off when empty"},
			&cli.StringFlag{Name: "cephfs-csi-socket", EnvVars: []string{"CEPHFS_CSI_SOCKET"},
				Usage: "also serve the CSI controller service for CephFS on this Unix socket; off when empty"},
		},
		Cache: narrow,
		Setup: setup,
	}))
}

// parts are what both drivers use.
type parts struct {
	rbd, cephFS string
	kube        kubernetes.Interface
	finder      clusters.Finder
	connections *link.Connections
}

func setup(_ context.Context, mgr manager.Manager, c *cli.Context) error {
	prefix := c.String("driver-prefix")
	if prefix == "" {
		prefix = app.OwnNamespace(c)
	}
	kube, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	p := parts{
		rbd: csi.RBDDriver(prefix), cephFS: csi.CephFSDriver(prefix), kube: kube,
		finder: clusters.Finder{
			Clusters: mgr.GetClient(), Secrets: mgr.GetAPIReader(), Namespaces: served(c), Identities: csi.RBDIdentities(),
		},
		connections: &link.Connections{Dialer: librados.Dialer{InFlight: inFlight}},
	}
	maps := &osdmap.Maps{}
	return errors.Join(
		p.drivers(mgr, c),
		(&pool.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Sessions: &link.Sessions{Connections: p.connections, Secrets: p.finder},
			Maps: maps, Clock: clock.RealClock{}, Events: mgr.GetEventRecorder(pool.Name),
		}).Register(mgr),
		(&report.Reconciler{
			Client: mgr.GetClient(), Namespace: app.OwnNamespace(c), Secrets: p.finder, Clock: clock.RealClock{},
			Identities: []csi.Identities{csi.RBDIdentities(), csi.CephFSIdentities()},
			Drop:       func(clusterID string) { p.connections.Drop(clusterID); maps.Forget(clusterID) },
		}).Register(mgr),
	)
}

// drivers sets up the CSI controller side of both drivers.
func (p parts) drivers(mgr manager.Manager, c *cli.Context) error {
	images := &volumes.Controller{
		Clusters: p.finder, Connections: p.connections, NodeList: attachment.Nodes{Reader: mgr.GetAPIReader()},
	}
	shares := &subvolumes.Controller{
		Clusters: p.finder.For(csi.CephFSIdentities()), Connections: p.connections, CopyPatience: copyPatience,
	}
	identity := string(uuid.NewUUID())
	runner := &provision.Runner{
		Client: p.kube, Log: mgr.GetLogger(),
		Provisioners: []*provision.Provisioner{
			{
				Driver: p.rbd, Identity: identity + "-" + p.rbd, Blocks: true, FSType: csi.DefaultFSType, Volumes: images,
				Secrets: p.finder, Attachments: mgr.GetClient(),
			},
			{
				Driver: p.cephFS, Identity: identity + "-" + p.cephFS, Volumes: shares,
				Sources: content.Sources{Live: mgr.GetAPIReader()}, Secrets: p.finder, Attachments: mgr.GetClient(),
			},
		},
	}
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	informers := runner.Informers()
	errs := []error{
		mgr.Add(informers),
		mgr.Add(runner),
		(&drivers.Reconciler{Client: mgr.GetClient(), Drivers: []string{p.rbd, p.cephFS}}).Register(mgr),
		(&attachment.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Secrets: p.finder, Clock: clock.RealClock{},
			Drivers: map[string]attachment.Volumes{p.rbd: images, p.cephFS: nil},
		}).Register(mgr),
	}
	errs = append(errs, (&resize.Reconciler{
		Client: live, Claims: informers.Claims(), PersistentVolumes: informers.Volumes(), Secrets: p.finder,
		Drivers: map[string]resize.Volumes{p.cephFS: shares}, Events: mgr.GetEventRecorder(resize.Name),
	}).Register(mgr))
	errs = append(errs, (&snapshot.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Secrets: p.finder, Clock: clock.RealClock{},
		Drivers: map[string]snapshot.Snapshots{p.cephFS: shares},
	}).Register(mgr))
	for _, server := range []socket.Server{
		{Path: c.String("csi-socket"), Driver: p.rbd, Controller: images},
		{Path: c.String("cephfs-csi-socket"), Driver: p.cephFS, Controller: shares},
	} {
		if server.Path != "" {
			server.Log = mgr.GetLogger()
			errs = append(errs, mgr.Add(server))
		}
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
