package registration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"google.golang.org/grpc"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"

	"github.com/rook-ceph/rook-ceph/shared/csi/serve"
)

// watchInterval is how often the socket is looked for. The kubelet removes all
// sockets of its registry when it starts.
const watchInterval = 5 * time.Second

// Plugin is a driver whose CSI socket is served already.
type Plugin struct {
	// Driver is the name of the driver.
	Driver string
	// Registry is the kubelet's plugins_registry directory.
	Registry string
	// Endpoint is the path of the CSI socket as the kubelet sees it.
	Endpoint string
	Log      logr.Logger

	registered atomic.Bool
}

// socket is the name that the kubelet's documentation asks for.
func (p *Plugin) socket() string { return filepath.Join(p.Registry, p.Driver+"-reg.sock") }

// Registered tells whether the kubelet has accepted the driver.
func (p *Plugin) Registered() bool { return p.registered.Load() }

// Start serves until ctx ends. It offers the driver again whenever its socket
// was removed.
func (p *Plugin) Start(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.serveOnce(ctx); err != nil {
			return fmt.Errorf("register %s: %w", p.Driver, err)
		}
	}
	return nil
}

// serveOnce serves until the socket is gone or ctx ends.
func (p *Plugin) serveOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- serve.Socket(ctx, p.Log, p.socket(), func(server *grpc.Server) {
			registerapi.RegisterRegistrationServer(server, &service{plugin: p})
		})
	}()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
		if _, err := os.Stat(p.socket()); errors.Is(err, os.ErrNotExist) {
			p.Log.Info("registration socket was removed; registering again", "driver", p.Driver)
			p.registered.Store(false)
			cancel()
		}
	}
}

type service struct {
	registerapi.UnimplementedRegistrationServer
	plugin *Plugin
}

// GetInfo tells the kubelet where the driver is.
func (s *service) GetInfo(context.Context, *registerapi.InfoRequest) (*registerapi.PluginInfo, error) {
	return &registerapi.PluginInfo{
		Type: registerapi.CSIPlugin, Name: s.plugin.Driver, Endpoint: s.plugin.Endpoint, SupportedVersions: []string{"1.0.0"},
	}, nil
}

// NotifyRegistrationStatus hears whether the kubelet accepted the driver.
func (s *service) NotifyRegistrationStatus(
	_ context.Context, status *registerapi.RegistrationStatus,
) (*registerapi.RegistrationStatusResponse, error) {
	s.plugin.registered.Store(status.GetPluginRegistered())
	log := s.plugin.Log.WithValues("driver", s.plugin.Driver)
	if status.GetPluginRegistered() {
		log.Info("registered with the kubelet")
	} else {
		log.Info("kubelet refused the driver", "error", status.GetError())
	}
	return &registerapi.RegistrationStatusResponse{}, nil
}
