//go:build integration

package device

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
)

// key is well formed and worthless.
const key = "AQAAAAAAAAAAABAAAQIDBAUGBwgJCgsMDQ4PEA=="

// rootfs returns the root file system of a Ceph release.
func rootfs(t *testing.T, release string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("needs a Ceph root file system: %v", err)
	}
	root := filepath.Join(cache, "rook-ceph", "rootfs", "ceph-"+release)
	if _, err := os.Stat(filepath.Join(root, "usr/bin/ceph-osd")); err != nil {
		t.Skipf("needs a Ceph root file system: %v", err)
	}
	return root
}

// program writes a script that runs a program of the root file system, with
// dir at the same path inside.
func program(t *testing.T, root, dir, name string) string {
	t.Helper()
	script := filepath.Join(dir, name)
	text := "#!/bin/sh\nexec unshare --mount --propagation private sh -ec '\n" +
		"root=" + root + "; dir=" + dir + "\n" +
		"mount --rbind /dev $root/dev; mount --rbind /sys $root/sys; mount --rbind /proc $root/proc\n" +
		"mount -t tmpfs none $root/tmp; mkdir -p $root$dir; mount --bind $dir $root$dir\n" +
		"mount -t tmpfs none $root/run; mkdir -p $root/run/ceph\n" +
		"exec chroot $root " + name + " \"$@\"' sh \"$@\"\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return script
}

// workdir is below /tmp, so that it can be shown inside the root file system.
func workdir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "osd-prepare-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func mkfs(t *testing.T, dir, osd string) Mkfs {
	t.Helper()
	keyfile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyfile, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &strings.Builder{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return Mkfs{Program: osd, Dir: dir, Keyfile: keyfile, Args: []string{"--no-mon-config", "--log-to-stderr=true", "--debug-bluestore=0", "--debug-bluefs=0", "--debug-rocksdb=0", "--debug-bdev=0"}, Log: log}
}

func TestAPreparedDiskIsFoundWhateverItsNameAndRunsOnce(t *testing.T) {
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			root, dir := rootfs(t, release), workdir(t)
			ceph := program(t, root, dir, "ceph-osd")
			file := blankFile(t, 6<<30)
			l := attach(t, file)
			osd := freshOSD()
			p := Preparation{Machine: thisMachine(), OSD: osd, StableID: l.stableID(), Formatter: mkfs(t, dir, ceph), Now: time.Now()}
			if got := Prepare(t.Context(), p); got.Outcome != receipt.Prepared || got.SizeBytes != 6<<30 {
				t.Fatalf("got %+v, want it prepared", got)
			}
			p.Formatter = &formatter{}
			if got := Prepare(t.Context(), p); got.Outcome != receipt.Prepared {
				t.Errorf("a second time: %+v", got)
			}
			other := p
			other.OSD.FSID = "99999999-2222-3333-4444-555555555555"
			if got := Prepare(t.Context(), other); got.Outcome != receipt.Refused {
				t.Errorf("another cluster: %+v", got)
			}
			renamed := rename(t, l)
			a := Activation{Machine: thisMachine(), OSD: osd, StableID: "wwn:outdated", DataDir: filepath.Join(dir, "data"), DeviceClass: "ssd"}
			device, err := Activate(t.Context(), a)
			if err != nil || device != "/dev/"+renamed.name {
				t.Fatalf("Activate = %q, %v; want /dev/%s", device, err, renamed.name)
			}
			runOnce(t, ceph, dir, osd)
		})
	}
}

// rename attaches the file of a loop device under another name.
func rename(t *testing.T, l *loop) *loop {
	t.Helper()
	occupant := blankFile(t, 1<<20)
	l.detach()
	attach(t, occupant) // takes the name, unless somebody else did
	return attach(t, l.file)
}

// runOnce starts the OSD twice, from two data directories: the second one must
// fail, because the first has the disk itself locked (I11).
func runOnce(t *testing.T, ceph, dir string, osd Identity) {
	t.Helper()
	second := Activation{Machine: thisMachine(), OSD: osd, DataDir: filepath.Join(dir, "second")}
	if _, err := Activate(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	first := start(t, ceph, filepath.Join(dir, "data"))
	defer first.stop()
	first.await("load_pgs") // it has its store open by then
	again := start(t, ceph, filepath.Join(dir, "second"))
	defer again.stop()
	select {
	case <-again.done:
	case <-time.After(time.Minute):
		t.Error("a second process runs the same OSD")
	}
	if first.ended() {
		t.Errorf("the first one ended:\n%s", first.output())
	}
}

type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// start runs an OSD whose mons never answer: it opens its store first.
func start(t *testing.T, ceph, data string) *process {
	t.Helper()
	log := data + ".log"
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(ceph, "--foreground", "--id=3", "--fsid="+someOSD().FSID, "--osd-data="+data, "--no-mon-config",
		"--mon-host=127.0.0.1:1", "--log-to-stderr=true", "--keyring=/dev/null", "--admin-socket=")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, log: log, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.done) }()
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// await waits until the process has logged the text.
func (p *process) await(text string) {
	p.t.Helper()
	deadline, tick := time.Now().Add(time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for ; !strings.Contains(p.output(), text); <-tick.C {
		if p.ended() || time.Now().After(deadline) {
			p.t.Fatalf("no %q in the log:\n%s", text, p.output())
		}
	}
}

func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-8000):])
}
