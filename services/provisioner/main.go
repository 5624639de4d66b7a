// Command provisioner makes block pools, and RBD and CephFS volumes, in Ceph
// clusters.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
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
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/filesystems"
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
			&cli.BoolFlag{Name: "enable-rbd-driver", EnvVars: []string{"ENABLE_RBD_DRIVER"}, Value: true, Usage: "serve RBD volumes"},
			&cli.BoolFlag{Name: "enable-cephfs-driver", EnvVars: []string{"ENABLE_CEPHFS_DRIVER"}, Value: true, Usage: "serve CephFS volumes"},
			&cli.StringFlag{Name: "csi-socket", EnvVars: []string{"CSI_SOCKET"},
				Usage: "also serve the CSI controller service for RBD on this Unix socket; off when empty"},
			&cli.StringFlag{Name: "cephfs-csi-socket", EnvVars: []string{"CEPHFS_CSI_SOCKET"},
				Usage: "also serve the CSI controller service for CephFS on this Unix socket; off when empty"},
		},
		Cache: narrow,
		Setup: setup,
	}))
}

// parts are what the drivers are made of.
type parts struct {
	kube        kubernetes.Interface
	finder      clusters.Finder
	connections *link.Connections
	identity    string
}

func setup(_ context.Context, mgr manager.Manager, c *cli.Context) error {
	kube, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	p := parts{
		kube:        kube,
		finder:      clusters.Finder{Clusters: mgr.GetClient(), Secrets: mgr.GetAPIReader(), Namespaces: served(c)},
		connections: &link.Connections{Dialer: librados.Dialer{InFlight: inFlight, Observe: app.Meter}},
		identity:    string(uuid.NewUUID()),
	}
	enabled := p.drivers(mgr, c)
	maps := &osdmap.Maps{}
	identities := make([]csi.Identities, len(enabled))
	for i := range enabled {
		identities[i] = enabled[i].identities
	}
	return errors.Join(
		p.serve(mgr, enabled),
		(&pool.Reconciler{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Sessions: &link.Sessions{Connections: p.connections, Secrets: p.finder},
			Maps: maps, Clock: clock.RealClock{}, Events: mgr.GetEventRecorder(pool.Name),
		}).Register(mgr),
		(&report.Reconciler{
			Client: mgr.GetClient(), Namespace: app.OwnNamespace(c), Secrets: p.finder, Clock: clock.RealClock{}, Identities: identities,
			Keep: p.connections.Keep, Forget: maps.Forget,
		}).Register(mgr),
	)
}

// driver is the controller side of one CSI driver. What it cannot do is nil.
type driver struct {
	name       string
	identities csi.Identities
	socket     string
	controller csipb.ControllerServer
	provision  provision.Provisioner
	attach     attachment.Volumes
	resize     resize.Volumes
	snapshot   snapshot.Snapshots
}

// drivers are those that are enabled.
func (p parts) drivers(mgr manager.Manager, c *cli.Context) []driver {
	prefix := c.String("driver-prefix")
	if prefix == "" {
		prefix = app.OwnNamespace(c)
	}
	var enabled []driver
	if c.Bool("enable-rbd-driver") {
		images := &volumes.Controller{
			Clusters: p.finder.For(csi.RBDIdentities()), Connections: p.connections, NodeList: attachment.Nodes{Reader: mgr.GetAPIReader()},
		}
		enabled = append(enabled, driver{
			name: csi.RBDDriver(prefix), identities: csi.RBDIdentities(), socket: c.String("csi-socket"), controller: images, attach: images,
			resize:    images,
			provision: provision.Provisioner{Blocks: true, FSType: csi.DefaultFSType, Volumes: images},
		})
	}
	if c.Bool("enable-cephfs-driver") {
		shares := &subvolumes.Controller{
			Clusters: p.finder.For(csi.CephFSIdentities()), Connections: p.connections, CopyPatience: copyPatience,
			Filesystems: filesystems.Finder{Clusters: p.finder, Reader: mgr.GetClient()},
		}
		enabled = append(enabled, driver{
			name: csi.CephFSDriver(prefix), identities: csi.CephFSIdentities(), socket: c.String("cephfs-csi-socket"), controller: shares,
			resize: shares, snapshot: shares,
			provision: provision.Provisioner{Volumes: shares, Copies: shares, Sources: content.Sources{Live: mgr.GetAPIReader()}},
		})
	}
	return enabled
}

// serve sets up what sidecars would do, for all drivers together.
func (p parts) serve(mgr manager.Manager, enabled []driver) error {
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	runner := &provision.Runner{Client: p.kube, Log: mgr.GetLogger()}
	caches := runner.Informers()
	objects := &drivers.Reconciler{Client: mgr.GetClient()}
	attach := &attachment.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Secrets: p.finder, Clock: clock.RealClock{}, Drivers: map[string]attachment.Volumes{},
	}
	grow := &resize.Reconciler{
		Client: live, Claims: caches.Claims(), PersistentVolumes: caches.Volumes(), Secrets: p.finder, Clock: clock.RealClock{},
		Drivers: map[string]resize.Volumes{}, Events: mgr.GetEventRecorder(resize.Name),
	}
	snapshots := &snapshot.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Secrets: p.finder, Clock: clock.RealClock{}, Drivers: map[string]snapshot.Snapshots{},
	}
	errs := []error{mgr.Add(caches), mgr.Add(runner)}
	for _, one := range enabled {
		made := one.provision
		made.Driver, made.Identity, made.Secrets, made.Attachments = one.name, p.identity+"-"+one.name, p.finder, mgr.GetClient()
		runner.Provisioners = append(runner.Provisioners, &made)
		objects.Drivers = append(objects.Drivers, one.name)
		attach.Drivers[one.name] = one.attach
		if one.resize != nil {
			grow.Drivers[one.name] = one.resize
		}
		if one.snapshot != nil {
			snapshots.Drivers[one.name] = one.snapshot
		}
		if one.socket != "" {
			errs = append(errs, mgr.Add(socket.Server{Path: one.socket, Driver: one.name, Controller: one.controller, Log: mgr.GetLogger()}))
		}
	}
	errs = append(errs, objects.Register(mgr), attach.Register(mgr), grow.Register(mgr), snapshots.Register(mgr))
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
