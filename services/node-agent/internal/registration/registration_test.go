package registration_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/registration"
)

const driver = "rook-ceph.rbd.csi.ceph.com"

// TestPlugin plays the kubelet: it finds the socket, asks, accepts, and removes
// the socket as a kubelet does that starts anew.
func TestPlugin_registers_and_registers_again(t *testing.T) {
	t.Parallel()
	registry, err := os.MkdirTemp("", "reg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(registry) })
	p := &registration.Plugin{Driver: driver, Registry: registry, Endpoint: "/csi.sock", Log: logr.Discard()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()

	socket := filepath.Join(registry, driver+"-reg.sock")
	accept(t, socket)
	if !p.Registered() {
		t.Error("not registered after the kubelet accepted")
	}
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	accept(t, socket)
	if !p.Registered() {
		t.Error("not registered with the second kubelet")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket was left behind")
	}
}

func accept(t *testing.T, socket string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	kubelet := registerapi.NewRegistrationClient(conn)
	info, err := kubelet.GetInfo(ctx, &registerapi.InfoRequest{}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	if info.GetName() != driver || info.GetType() != registerapi.CSIPlugin || info.GetEndpoint() != "/csi.sock" {
		t.Errorf("info %v", info)
	}
	if _, err := kubelet.NotifyRegistrationStatus(ctx, &registerapi.RegistrationStatus{PluginRegistered: true}); err != nil {
		t.Fatal(err)
	}
}
