//go:build integration

package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bootPatience is how long an emulated machine may take to call.
const bootPatience = 90 * time.Second

// machine is an emulated machine with a kernel that has the clients of Ceph, whatever the
// kernel of this machine has. It reaches the daemons at the address that they have here.
type machine struct {
	t       *testing.T
	console string
	calls   *rpc.Client
}

// bootMachine starts a machine that lives as long as the test. Its agent calls back at a
// local address, which must not be of loopback: that is the machine itself, seen from there.
func bootMachine(t *testing.T, address string) *machine {
	t.Helper()
	dir := t.TempDir()
	kernel := prepareKernel(t)
	image := buildImage(t, dir, kernel)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	m := &machine{t: t, console: filepath.Join(dir, "console")}
	emulator := exec.Command("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "768",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "file:"+m.console,
		"-kernel", filepath.Join(kernel, "vmlinuz"), "-initrd", image,
		"-append", "console=ttyS0 loglevel=5 panic=-1 rdinit=/init rook.test="+listener.Addr().String(),
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci")
	var said bytes.Buffer
	emulator.Stdout, emulator.Stderr = &said, &said
	emulator.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := emulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = emulator.Process.Kill()
		_ = emulator.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(m.console)
			t.Logf("emulator: %s\nconsole:\n%s", &said, text[max(0, len(text)-8000):])
		}
	})
	began := time.Now()
	if err := listener.(*net.TCPListener).SetDeadline(began.Add(bootPatience)); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatalf("wait for the machine's call: %v", err)
	}
	t.Logf("the machine called after %s", time.Since(began).Round(time.Millisecond))
	m.calls = rpc.NewClient(conn)
	t.Cleanup(func() { _ = m.calls.Close() })
	return m
}

// call asks the agent and fails the test if it cannot do it.
func (m *machine) call(t *testing.T, method string, args, answer any) {
	t.Helper()
	if err := m.try(t, method, args, answer); err != nil {
		t.Fatalf("%s in the machine: %v", method, err)
	}
}

// try asks the agent and returns its error.
func (m *machine) try(t *testing.T, method string, args, answer any) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pending := m.calls.Go("Node."+method, args, answer, make(chan *rpc.Call, 1))
	select {
	case ended := <-pending.Done:
		return ended.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

// prepareKernel returns the directory of the machine's kernel.
func prepareKernel(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("guest", "prepare"))
	var said bytes.Buffer
	cmd.Stderr = &said
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("prepare the machine's kernel: %v\n%s", err, &said)
	}
	return strings.TrimSpace(string(output))
}

// buildImage makes the machine's file system: the agent, node-agent's tools, and those
// modules of the kernel that are needed for them.
func buildImage(t *testing.T, dir, kernel string) string {
	t.Helper()
	root := filepath.Join(dir, "root")
	for _, sub := range []string{"bin", "lib"} {
		if err := os.MkdirAll(filepath.Join(root, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range [][2]string{{"bin", "sbin"}, {"kmod", "bin/modprobe"}} {
		if err := os.Symlink(link[0], filepath.Join(root, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", filepath.Join(root, "bin", "agent"), "./guest/agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	run(t, build)
	copyFile(t, "guest/init", filepath.Join(root, "init"))
	for _, program := range []string{"busybox", "kmod", "mount", "umount", "mkfs.ext4", "mkfs.xfs", "resize2fs", "xfs_growfs"} {
		copyProgram(t, root, program)
	}
	copyModules(t, root, kernel)
	image := filepath.Join(dir, "image.cpio")
	pack := exec.CommandContext(t.Context(), "sh", "-c", `find . | busybox cpio -o -H newc -F "$0"`, image)
	pack.Dir = root
	run(t, pack)
	return image
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, output)
	}
	return string(output)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(from)
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, info.Mode().Perm()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// copyProgram copies a program of this machine and its libraries, where its loader looks.
func copyProgram(t *testing.T, root, name string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, path, filepath.Join(root, "bin", name))
	output, err := exec.CommandContext(t.Context(), "ldd", path).CombinedOutput()
	if err != nil {
		return // it is static
	}
	for line := range strings.Lines(string(output)) {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "/") {
				copyFile(t, word, filepath.Join(root, word))
			}
		}
	}
}

// copyModules copies what the named modules need, and modprobe's tables. What a module asks
// for while it runs is cryptography.
func copyModules(t *testing.T, root, kernel string) {
	t.Helper()
	base := filepath.Join(kernel, "lib", "modules")
	releases, err := os.ReadDir(base)
	if err != nil || len(releases) != 1 {
		t.Fatalf("modules of one kernel are wanted in %s: %v, %v", base, releases, err)
	}
	release := releases[0].Name()
	from, to := filepath.Join(base, release), filepath.Join(root, "lib", "modules", release)
	files := strings.Fields(run(t, exec.CommandContext(t.Context(), "find", from, "-maxdepth", "1", "-name", "modules.*")))
	files = append(files, strings.Fields(run(t, exec.CommandContext(t.Context(), "find",
		filepath.Join(from, "kernel", "crypto"), filepath.Join(from, "kernel", "arch", "x86", "crypto"), "-name", "*.ko*")))...)
	for _, module := range []string{"virtio_pci", "virtio_net", "virtio_rng", "rbd", "ceph", "ext4", "xfs"} {
		for line := range strings.Lines(run(t, exec.CommandContext(t.Context(), "modprobe", "-d", kernel, "-S", release, "--show-depends", module))) {
			if fields := strings.Fields(line); fields[0] == "insmod" {
				files = append(files, fields[1])
			}
		}
	}
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		below, err := filepath.Rel(from, file)
		if err == nil && strings.HasPrefix(below, "..") {
			err = fmt.Errorf("%s is not below %s", file, from)
		}
		if err != nil {
			t.Fatal(err)
		}
		copyFile(t, file, filepath.Join(to, below))
	}
}

// hostAddress gives this machine an address that loopback serves and that means the same
// to an emulated machine: of the block that is set aside for tests of networks.
func hostAddress(t *testing.T) string {
	t.Helper()
	pid := os.Getpid()
	address := fmt.Sprintf("198.18.%d.%d", pid>>8&0xff, pid&0xff)
	run(t, exec.CommandContext(t.Context(), "ip", "address", "replace", address+"/32", "dev", "lo"))
	t.Cleanup(func() { _ = exec.Command("ip", "address", "delete", address+"/32", "dev", "lo").Run() })
	return address
}
