package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/network"
)

// spec returns the description of one machine.
func (r *run) spec(name string) (machine.Spec, error) {
	spec := machine.Spec{
		Cluster:   r.cluster.Name,
		Name:      name,
		Directory: r.cluster.MachineDir(name),
		Cgroup:    r.cluster.MachineCgroup(name),
		Gateway:   r.cluster.HostAddress(),
	}
	recipes := []string{"kube", "etcd", "snapshot-controller"}
	address := r.cluster.ControlAddress()
	number := 0
	if name == layout.ControlPlane {
		spec.Services = config.ControlServices(r.cluster)
	} else {
		var err error
		if number, err = r.cluster.NodeNumber(name); err != nil {
			return spec, err
		}
		recipes = []string{"kube", "containerd"}
		address = r.cluster.NodeAddress(number)
		spec.Services = config.NodeServices(r.cluster, number)
		spec.Loops = r.loops(number)
	}
	spec.Address = netip.PrefixFrom(address, r.cluster.Machines().Bits())
	for other := 1; other <= layout.MaxNodes; other++ {
		if other != number {
			spec.Routes = append(spec.Routes, machine.Route{To: r.cluster.NodePods(other), Via: r.cluster.NodeAddress(other)})
		}
	}
	for _, recipe := range recipes {
		spec.Binds = append(spec.Binds, machine.Bind{From: r.programs[recipe].Directory, To: filepath.Join(config.Programs, recipe)})
	}
	return spec, nil
}

// start makes one machine run, unless it runs already as it should. It is true
// when it started it.
func (r *run) start(ctx context.Context, name string) (bool, error) {
	spec, err := r.spec(name)
	if err != nil {
		return false, err
	}
	if process, ok := machine.Find(spec.Directory); ok {
		if now, err := machine.Load(spec.Directory); err == nil && unchanged(now, spec) {
			return false, nil
		}
		if err := r.stop(ctx, process, name); err != nil {
			return false, err
		}
	}
	if err := r.clearCgroup(ctx, spec.Cgroup); err != nil {
		return false, err
	}
	if err := errors.Join(spec.Save(), r.furnish(spec)); err != nil {
		return false, err
	}
	if err := r.cgroups.Create(spec.Cgroup); err != nil {
		return false, err
	}
	if name != layout.ControlPlane {
		r.started[name] = r.Clock()
	}
	_, err = machine.Launch(ctx, r.executable(), spec, func(pid int) error {
		return errors.Join(r.cgroups.Join(spec.Cgroup, pid), network.Connect(r.cluster, name, pid))
	})
	return true, err
}

// unchanged is true when a machine need not be started again to become what is
// wanted. Disks come and go while a machine runs.
func unchanged(now, want machine.Spec) bool {
	now.Loops, want.Loops = nil, nil
	before, err := json.Marshal(now)
	if err != nil {
		return false
	}
	after, err := json.Marshal(want)
	return err == nil && bytes.Equal(before, after)
}

// stop ends a machine and waits until the kernel has taken it apart.
func (r *run) stop(ctx context.Context, process machine.Process, name string) error {
	if err := process.Kill(); err != nil {
		return err
	}
	return await(ctx, "end of machine "+name, 30*time.Second, func(context.Context) error {
		if process.Alive() {
			return fmt.Errorf("process %d still runs", process.PID)
		}
		return nil
	})
}

// furnish writes the files of a machine into its root.
func (r *run) furnish(spec machine.Spec) error {
	files := []config.File{
		{Path: "/etc/hostname", Content: spec.Name + "\n"},
		{Path: "/etc/hosts", Content: "127.0.0.1 localhost\n" + spec.Address.Addr().String() + " " + spec.Name + "\n"},
		{Path: "/etc/resolv.conf", Content: ""},
		{Path: "/etc/passwd", Content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
		{Path: "/etc/group", Content: "root:x:0:\ntty:x:5:\ndisk:x:6:\nnogroup:x:65534:\n"},
		{Path: "/etc/nsswitch.conf", Content: "passwd: files\ngroup: files\nhosts: files dns\n"},
		{Path: "/etc/machine-id", Content: machineID(spec)},
	}
	more, err := r.settings(spec.Name)
	if err != nil {
		return err
	}
	for _, file := range append(files, more...) {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(file.Path, config.Settings) {
			mode = 0o600
		}
		if strings.HasPrefix(file.Path, config.Wrappers) {
			mode = 0o700
		}
		if err := writeFile(filepath.Join(spec.Root(), file.Path), file.Content, mode); err != nil {
			return fmt.Errorf("furnish %s: %w", spec.Name, err)
		}
	}
	return nil
}

// settings returns the configuration, certificates and kubeconfigs of a
// machine.
func (r *run) settings(name string) ([]config.File, error) {
	if name == layout.ControlPlane {
		files, err := r.secrets(config.ControlFiles(), map[string]string{
			"ca.crt": "ca.crt", "ca.key": "ca.key", "apiserver.crt": "apiserver.crt", "apiserver.key": "apiserver.key",
			"apiserver-kubelet-client.crt": "apiserver-kubelet-client.crt", "apiserver-kubelet-client.key": "apiserver-kubelet-client.key",
			"front-proxy-ca.crt": "front-proxy-ca.crt", "front-proxy-client.crt": "front-proxy-client.crt",
			"front-proxy-client.key": "front-proxy-client.key",
			"service-account.key":    "service-account.key", "service-account.pub": "service-account.pub",
		})
		if err != nil {
			return nil, err
		}
		return r.kubeconfigs(files, map[string]string{
			"controller-manager": "controller-manager", "scheduler": "scheduler", "snapshot-controller": "snapshot-controller",
		})
	}
	number, err := r.cluster.NodeNumber(name)
	if err != nil {
		return nil, err
	}
	files, err := config.NodeFiles(r.cluster, number)
	if err != nil {
		return nil, err
	}
	files, err = r.secrets(files, map[string]string{"ca.crt": "ca.crt", "kubelet.crt": name + ".crt", "kubelet.key": name + ".key"})
	if err != nil {
		return nil, err
	}
	return r.kubeconfigs(files, map[string]string{"kubelet": name, "kube-proxy": "kube-proxy"})
}

// secrets appends certificates and keys, by name inside the machine.
func (r *run) secrets(files []config.File, wanted map[string]string) ([]config.File, error) {
	for target, source := range wanted {
		content, err := os.ReadFile(filepath.Join(r.cluster.PKI(), source))
		if err != nil {
			return nil, fmt.Errorf("read certificate: %w", err)
		}
		files = append(files, config.File{Path: filepath.Join(config.Settings, target), Content: string(content)})
	}
	return files, nil
}

// kubeconfigs appends kubeconfigs, by name inside the machine.
func (r *run) kubeconfigs(files []config.File, wanted map[string]string) ([]config.File, error) {
	for name, subject := range wanted {
		content, err := r.kubeconfig(name, subject)
		if err != nil {
			return nil, err
		}
		files = append(files, config.File{Path: filepath.Join(config.Settings, name+".kubeconfig"), Content: content})
	}
	return files, nil
}

// current is true when a machine runs as it should.
func (r *run) current(name string) bool {
	want, err := r.spec(name)
	if err != nil {
		return false
	}
	if _, ok := machine.Find(want.Directory); !ok {
		return false
	}
	now, err := machine.Load(want.Directory)
	return err == nil && unchanged(now, want)
}
