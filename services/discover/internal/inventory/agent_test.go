//go:build envtest

package inventory_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rook-ceph/rook-ceph/services/discover/internal/hotplug"
	agent "github.com/rook-ceph/rook-ceph/services/discover/internal/inventory"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// patience is how long the agent may take before the test gives up. The budget
// for a hot-plug is 2 s; the time that it took is logged.
const patience = 20 * time.Second

// loopDevice is a free loop device with its node in a directory of its own.
type loopDevice struct {
	t    *testing.T
	name string
	dev  string
	file *os.File
}

func newLoop(t *testing.T) *loopDevice {
	t.Helper()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	defer control.Close()
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		t.Skipf("needs loop devices: %v", err)
	}
	l := &loopDevice{t: t, name: "loop" + strconv.Itoa(number), dev: t.TempDir()}
	if err := unix.Mknod(l.path(), unix.S_IFBLK|0o600, int(unix.Mkdev(7, uint32(number)))); err != nil {
		t.Skipf("needs device nodes: %v", err)
	}
	t.Cleanup(func() { l.detach() })
	return l
}

func (l *loopDevice) path() string { return filepath.Join(l.dev, l.name) }

func (l *loopDevice) attach() {
	l.t.Helper()
	backing, err := os.Create(filepath.Join(l.t.TempDir(), "disk"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer backing.Close()
	if err := backing.Truncate(64 << 20); err != nil {
		l.t.Fatal(err)
	}
	if l.file, err = os.OpenFile(l.path(), os.O_RDWR, 0); err != nil {
		l.t.Skipf("needs loop devices: %v", err)
	}
	if err := unix.IoctlSetInt(int(l.file.Fd()), unix.LOOP_SET_FD, int(backing.Fd())); err != nil {
		l.t.Skipf("needs a free loop device: %v", err)
	}
}

func (l *loopDevice) detach() {
	if l.file == nil {
		return
	}
	if err := errors.Join(unix.IoctlSetInt(int(l.file.Fd()), unix.LOOP_CLR_FD, 0), l.file.Close()); err != nil {
		l.t.Errorf("detach %s: %v", l.name, err)
	}
	l.file = nil
}

// write opens the device, writes to it and closes it, as mkfs does.
func (l *loopDevice) write(content string, offset int64) {
	l.t.Helper()
	file, err := os.OpenFile(l.path(), os.O_RDWR, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	_, err = file.WriteAt([]byte(content), offset)
	if err := errors.Join(err, file.Close()); err != nil {
		l.t.Fatal(err)
	}
}

// startAgent runs the whole agent but for its command line.
func startAgent(t *testing.T, node, dev string) {
	t.Helper()
	mgr, err := ctrl.NewManager(testenv.Start(t), ctrl.Options{
		Scheme: testenv.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	wake, woken := agent.NewAlarm()
	devices := agent.NewDevices(scan.Scanner{
		Host: disk.Local(), Nodes: scan.DevDir(dev), Policy: disk.Policy{AllowLoop: true, MinSizeBytes: 1 << 20},
	}, wake)
	watcher, err := hotplug.New(scan.DevDir(dev), devices.Hear(wake))
	if err != nil {
		t.Fatal(err)
	}
	r := &agent.Reconciler{
		Node: node, Devices: devices, Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Clock: clock.RealClock{},
		Apply: apply.Applier{Client: mgr.GetClient(), Manager: agent.Name}, Follow: watcher.Follow,
	}
	if err := errors.Join(r.Register(mgr, woken), mgr.Add(watcher)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("manager: %v", err)
		}
	})
}

// The whole way, with a real kernel and a real API server: a disk is plugged
// in, formatted, and pulled out.
func TestAgentFollowsADiskThroughItsLife(t *testing.T) {
	loop := newLoop(t)
	c := watching(t)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "agent-"}}
	if err := c.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	events, err := c.Watch(t.Context(), &inventory.CephDiskList{}, client.MatchingLabels{names.LabelHostname: node.Name})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	await := func(what string, done func(typ string, object *inventory.CephDisk) bool) {
		t.Helper()
		start := time.Now()
		for deadline := time.After(patience); ; {
			select {
			case event := <-events.ResultChan():
				object, ok := event.Object.(*inventory.CephDisk)
				if ok && done(string(event.Type), object) {
					t.Logf("%s after %s", what, time.Since(start).Round(time.Millisecond))
					return
				}
			case <-deadline:
				t.Fatalf("not %s within %s", what, patience)
			}
		}
	}
	startAgent(t, node.Name, loop.dev)
	state := func(want inventory.ProbeState) func(string, *inventory.CephDisk) bool {
		return func(_ string, object *inventory.CephDisk) bool {
			return object.Status.Probe != nil && object.Status.Probe.State == want && object.Status.Device == loop.name
		}
	}
	loop.attach()
	await("available", state(inventory.ProbeAvailable))
	loop.write("LABELONE", 512)
	await("rejected", state(inventory.ProbeRejected))
	loop.write("\x00\x00\x00\x00\x00\x00\x00\x00", 512)
	await("available again", state(inventory.ProbeAvailable))
	loop.detach()
	await("gone", func(typ string, _ *inventory.CephDisk) bool { return typ == "DELETED" })
}
