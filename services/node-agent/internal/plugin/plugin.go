// Package plugin puts the node service together: it serves CSI on the kubelet's
// plugin socket, registers there, and reports at the start what a predecessor
// left attached. It holds no CSI logic.
package plugin

import (
	"context"
	"errors"
	"path/filepath"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"google.golang.org/grpc"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/node"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/registration"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/version"
)

// Options say where the node is and how it attaches.
type Options struct {
	Node string
	// Boot is the running boot; see attach.Boot.
	Boot     string
	Driver   string
	Kubelet  string
	Secrets  string
	Modules  attach.Modules
	Cgroups  string
	Cgroup   string
	Clusters node.Clusters
	Dialer   storage.Dialer
	Log      logr.Logger
}

// Plugin is the RBD driver of one node.
type Plugin struct {
	options      Options
	attacher     attach.Attacher
	registration *registration.Plugin
	server       *node.Server
}

// New puts the driver together; nothing is touched before Start.
func New(options Options) *Plugin {
	dir := filepath.Join(options.Kubelet, "plugins", options.Driver)
	attacher := attach.Attacher{
		Directory: filepath.Join(dir, "attached"),
		Boot:      options.Boot,
		Backends: []attach.Backend{
			attach.Krbd{Sys: "/sys", Modules: options.Modules},
			attach.Export{Secrets: options.Secrets, CgroupRoot: options.Cgroups, Cgroup: options.Cgroup},
		},
	}
	return &Plugin{
		options:  options,
		attacher: attacher,
		registration: &registration.Plugin{
			Driver: options.Driver, Registry: filepath.Join(options.Kubelet, "plugins_registry"), Endpoint: Socket(options.Kubelet, options.Driver),
			Log: options.Log,
		},
		server: &node.Server{
			Node: options.Node, Clusters: options.Clusters, Dialer: options.Dialer, Attacher: attacher,
			Formats: filesystem.Tools{}, Mounter: mount.New(""),
		},
	}
}

// Socket returns the path of the CSI socket of a driver.
func Socket(kubelet, driver string) string {
	return filepath.Join(kubelet, "plugins", driver, "csi.sock")
}

// Registered tells whether the kubelet knows the driver.
func (p *Plugin) Registered() bool { return p.registration.Registered() }

// Start serves until ctx ends. Attached volumes stay attached.
func (p *Plugin) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.report()
	const parts = 2
	ended := make(chan error, parts)
	go func() {
		ended <- serve.Socket(ctx, p.options.Log, Socket(p.options.Kubelet, p.options.Driver), p.register)
	}()
	go func() { ended <- p.registration.Start(ctx) }()
	first := <-ended
	cancel()
	return errors.Join(first, <-ended)
}

func (p *Plugin) register(server *grpc.Server) {
	csipb.RegisterIdentityServer(server, &serve.Identity{Driver: p.options.Driver, Version: version.String(), Role: serve.Node})
	csipb.RegisterNodeServer(server, p.server)
}

// report logs what is attached already and whether it still serves. A record that
// cannot be read concerns its own volume only.
func (p *Plugin) report() {
	records, err := p.attacher.List()
	if err != nil {
		p.options.Log.Error(err, "attached volume cannot be adopted; unmount it by hand, then remove the directory of its record")
	}
	for _, record := range records {
		p.options.Log.Info("volume is attached", "volume", record.VolumeID, "backend", record.Backend, "device", record.Device,
			"serves", p.attacher.Serves(record))
	}
}
