// Command node-agent is the CSI node service of one Kubernetes node.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/urfave/cli/v2"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/module"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/outlive"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/plugin"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/record"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

var errNotRegistered = errors.New("the kubelet has not accepted the drivers yet")

func main() {
	if len(os.Args) > 1 && os.Args[1] == outlive.Verb {
		os.Exit(outlive.Child(os.Stdin, os.Stderr))
	}
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	os.Exit(app.Main(app.Service{
		Name:     "node-agent",
		Usage:    "serve RBD and CephFS volumes on one node",
		Scheme:   scheme,
		Flags:    flags(),
		Features: map[string]string{"librados": built()},
		Setup:    setup,
	}))
}

func flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "node-name", EnvVars: []string{"NODE_NAME"}, Required: true, Usage: "name of this Kubernetes node"},
		&cli.StringFlag{Name: "driver-prefix", EnvVars: []string{"CSI_DRIVER_PREFIX"},
			Usage: "what precedes .rbd.csi.ceph.com and .cephfs.csi.ceph.com in the drivers' names; the own namespace when empty"},
		&cli.BoolFlag{Name: "enable-rbd-driver", EnvVars: []string{"ENABLE_RBD_DRIVER"}, Value: true, Usage: "serve RBD volumes"},
		&cli.BoolFlag{Name: "enable-cephfs-driver", EnvVars: []string{"ENABLE_CEPHFS_DRIVER"}, Value: true, Usage: "serve CephFS volumes"},
		&cli.StringFlag{Name: "kubelet-dir", EnvVars: []string{"KUBELET_DIR"}, Value: "/var/lib/kubelet", Usage: "directory of the kubelet"},
		&cli.StringFlag{Name: "key-dir", Value: "/run/rook-ceph", Usage: "directory in memory for files with keys, which live for seconds"},
		&cli.StringFlag{Name: "host-cgroups", Value: "/host/cgroup", Usage: "where the host's cgroup hierarchies are mounted"},
		&cli.StringFlag{Name: "volume-cgroup", Value: "rook-ceph-volumes",
			Usage: "cgroup of user-space volumes, which outlive this pod"},
		&cli.BoolFlag{Name: "load-modules", EnvVars: []string{"LOAD_MODULES"},
			Usage: "load the kernel's RBD and CephFS clients if they are missing"},
	}
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters;cephfilesystemsubvolumegroups,verbs=list
// +kubebuilder:rbac:namespace=cluster,groups="",resources=secrets,resourceNames=rook-csi-rbd-node;rook-csi-cephfs-node,verbs=get

func setup(_ context.Context, mgr manager.Manager, c *cli.Context) error {
	prefix := c.String("driver-prefix")
	if prefix == "" {
		prefix = app.OwnNamespace(c)
	}
	modules := module.Loaded
	if c.Bool("load-modules") {
		modules = module.Load
	}
	boot, err := record.Boot()
	if err != nil {
		return err
	}
	finder := clusters.Finder{Clusters: mgr.GetAPIReader(), Secrets: mgr.GetAPIReader(), Namespaces: served(c)}
	options := plugin.Options{
		Node:    c.String("node-name"),
		Boot:    boot,
		Kubelet: c.String("kubelet-dir"),
		Secrets: c.String("key-dir"),
		Modules: modules,
		Cgroups: c.String("host-cgroups"),
		Cgroup:  c.String("volume-cgroup"),
		Dialer:  librados.Dialer{Observe: app.Meter},
		Log:     mgr.GetLogger(),
	}
	var drivers []*plugin.Plugin
	if c.Bool("enable-rbd-driver") {
		rbd := options
		rbd.Driver, rbd.Clusters = csi.RBDDriver(prefix), finder.For(csi.RBDIdentities())
		drivers = append(drivers, plugin.RBD(rbd))
	}
	if c.Bool("enable-cephfs-driver") {
		cephFS := options
		cephFS.Driver, cephFS.Clusters = csi.CephFSDriver(prefix), finder.For(csi.CephFSIdentities())
		drivers = append(drivers, plugin.CephFS(cephFS))
	}
	errs := []error{mgr.AddReadyzCheck("registered", func(*http.Request) error {
		for _, driver := range drivers {
			if !driver.Registered() {
				return errNotRegistered
			}
		}
		return nil
	})}
	for _, driver := range drivers {
		errs = append(errs, mgr.Add(driver))
	}
	return errors.Join(errs...)
}

func built() string {
	if librados.Built() {
		return "built"
	}
	return "not built"
}

// served are the namespaces whose clusters have volumes here.
func served(c *cli.Context) []string {
	if list := app.Namespaces(c); len(list) > 0 {
		return list
	}
	return []string{app.OwnNamespace(c)}
}
