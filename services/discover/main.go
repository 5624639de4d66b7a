// Command discover keeps the inventory of the disks of one Kubernetes node.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v2"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rook-ceph/rook-ceph/services/discover/internal/hotplug"
	agent "github.com/rook-ceph/rook-ceph/services/discover/internal/inventory"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

func main() {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(inventory.AddToScheme(scheme))
	os.Exit(app.Main(app.Service{
		Name:     "discover",
		Usage:    "keep the inventory of the disks of one node",
		Scheme:   scheme,
		Flags:    append(deviceFlags(), nodeFlag()),
		Commands: []*cli.Command{scanCommand()},
		Cache:    ownDisks,
		Setup:    setup,
	}))
}

func setup(_ context.Context, mgr manager.Manager, c *cli.Context) error {
	scanner, err := scanner(c)
	if err != nil {
		return err
	}
	wake, woken := agent.NewAlarm()
	devices := agent.NewDevices(scanner, wake)
	watcher, err := hotplug.New(scan.DevDir(c.String(flagDev)), devices.Hear(wake))
	if err != nil {
		return err
	}
	figures, err := agent.NewMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	r := &agent.Reconciler{
		Node: c.String(flagNode), Devices: devices, Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Clock: clock.RealClock{},
		Apply: apply.Applier{Client: mgr.GetClient(), Manager: agent.Name}, Metrics: figures, Follow: watcher.Follow,
	}
	return errors.Join(r.Register(mgr, woken), mgr.Add(watcher))
}
