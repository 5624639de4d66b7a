// Package plugin puts the node services together: each driver is served on the
// kubelet's plugin socket and registered there, and reports at the start what a
// predecessor left attached. It holds no CSI logic.
package plugin

import (
	"context"
	"errors"
	"path/filepath"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/module"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/node"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/registration"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/share"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/version"
)

// Options say where the node is and how it attaches and mounts.
type Options struct {
	Node string
	// Boot is the running boot; see record.Boot.
	Boot    string
	Driver  string
	Kubelet string
	Secrets string
	Modules module.Policy
	Cgroups string
	Cgroup  string
	// Clusters finds clusters, with the identities of the driver.
	Clusters clusters.Finder
	Dialer   storage.Dialer
	Log      logr.Logger
}

// directory is the driver's own on this node.
func (o Options) directory() string { return filepath.Join(o.Kubelet, "plugins", o.Driver) }

// Plugin is one driver on one node.
type Plugin struct {
	options      Options
	registration *registration.Plugin
	server       csipb.NodeServer
	// report logs what is on this node already and whether it still serves. Its error
	// names the records that cannot be read.
	report func() error
}

// RBD puts the RBD driver together; nothing is touched before Start.
func RBD(options Options) *Plugin {
	attacher := attach.Attacher{
		Directory: filepath.Join(options.directory(), "attached"),
		Boot:      options.Boot,
		Backends: []attach.Backend{
			attach.Krbd{Sys: "/sys", Modules: options.Modules, Refused: new(attach.Refusals).Refused},
			attach.Export{Secrets: options.Secrets, CgroupRoot: options.Cgroups, Cgroup: options.Cgroup},
		},
	}
	server := &node.Server{
		Self: call.Self{Node: options.Node}, Clusters: options.Clusters, Dialer: options.Dialer, Attacher: attacher,
		Formats: filesystem.Tools{}, Mounter: mount.New(""),
	}
	return assemble(options, server, func() error {
		records, err := attacher.List()
		for _, record := range records {
			options.Log.Info("volume is attached", "volume", record.VolumeID, "backend", record.Backend, "device", record.Device,
				"serves", attacher.Serves(record))
		}
		return err
	})
}

// CephFS puts the CephFS driver together; nothing is touched before Start.
func CephFS(options Options) *Plugin {
	mounters := fsmount.Mounters{
		Directory: filepath.Join(options.directory(), "attached"),
		Boot:      options.Boot,
		Known: []fsmount.Mounter{
			fsmount.Kernel{Filesystems: "/proc/filesystems", Modules: options.Modules, Call: unix.Mount},
			fsmount.FUSE{Secrets: options.Secrets, CgroupRoot: options.Cgroups, Cgroup: options.Cgroup},
		},
	}
	server := &share.Server{
		Self: call.Self{Node: options.Node}, Clusters: options.Clusters, Dialer: options.Dialer, Mounters: mounters, Mounter: mount.New(""),
	}
	return assemble(options, server, func() error {
		records, err := mounters.List()
		for _, record := range records {
			options.Log.Info("volume is mounted", "volume", record.ID, "mounter", record.Mounter, "path", record.Path,
				"serves", mounters.Serves(record))
		}
		return err
	})
}

func assemble(options Options, server csipb.NodeServer, report func() error) *Plugin {
	return &Plugin{
		options: options, server: server, report: report,
		registration: &registration.Plugin{
			Driver: options.Driver, Registry: filepath.Join(options.Kubelet, "plugins_registry"), Endpoint: Socket(options.Kubelet, options.Driver),
			Log: options.Log,
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
	if err := p.report(); err != nil {
		// It concerns its own volume only.
		p.options.Log.Error(err, "volume cannot be adopted; unmount it by hand, then remove the directory of its record")
	}
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
