package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// daemon is one process of the cluster, "mon.a" or "osd.3".
type daemon struct {
	name    string
	args    []string
	process *exec.Cmd
	output  *bytes.Buffer
	exited  chan struct{}
	wanted  bool
}

func (d *daemon) running() bool {
	if d.process == nil {
		return false
	}
	select {
	case <-d.exited:
		return false
	default:
		return true
	}
}

// launch starts the process. It dies with the test process.
func (c *Cluster) launch(d *daemon) error {
	args := c.from.command(c.dir, d.args...)
	d.process = exec.Command(args[0], args[1:]...)
	d.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	d.output = &bytes.Buffer{}
	d.process.Stdout, d.process.Stderr = d.output, d.output
	d.exited, d.wanted = make(chan struct{}), true
	started := make(chan error)
	go func() {
		// The death signal is tied to the thread that starts the process, so the
		// thread has to live as long as the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := d.process.Start()
		started <- err
		if err == nil {
			_ = d.process.Wait()
		}
		close(d.exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", d.name, err)
	}
	return nil
}

// end sends a signal and waits until the process is gone; one that does not
// go is killed.
func (d *daemon) end(signal syscall.Signal, patience time.Duration) {
	d.wanted = false
	if !d.running() {
		return
	}
	_ = d.process.Process.Signal(signal)
	select {
	case <-d.exited:
		return
	case <-time.After(patience):
	}
	_ = d.process.Process.Kill()
	<-d.exited
}

// Kill ends a daemon such as "osd.0" at once, as a power cut would.
func (c *Cluster) Kill(name string) {
	c.t.Helper()
	c.daemon(name).end(syscall.SIGKILL, time.Second)
}

// Stop ends a daemon in an orderly way.
func (c *Cluster) Stop(name string) {
	c.t.Helper()
	c.daemon(name).end(syscall.SIGTERM, 10*time.Second)
}

// Pause stops a daemon from running without ending it; Resume lets it go on. It
// returns when no thread of it runs any more.
func (c *Cluster) Pause(name string) {
	c.t.Helper()
	process := c.daemon(name).process.Process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatalf("pause %s: %v", name, err)
	}
	c.Await(name+" rests", func(context.Context) (bool, error) { return stopped(process.Pid) })
}

// stopped tells whether all threads of a process are stopped.
func stopped(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false, err
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if errors.Is(err, os.ErrNotExist) {
			continue // it ended
		}
		if err != nil {
			return false, err
		}
		// The state follows the name, which is in parentheses.
		if _, after, found := bytes.Cut(stat, []byte(") ")); !found || after[0] != 'T' {
			return false, nil
		}
	}
	return true, nil
}

// Resume ends Pause.
func (c *Cluster) Resume(name string) {
	c.t.Helper()
	if err := c.daemon(name).process.Process.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatalf("resume %s: %v", name, err)
	}
}

// Restart starts a daemon that was killed or stopped. It does not wait until
// the daemon is up.
func (c *Cluster) Restart(name string) {
	c.t.Helper()
	d := c.daemon(name)
	if d.running() {
		c.t.Fatalf("restart %s: it still runs", name)
	}
	if err := c.launch(d); err != nil {
		c.t.Fatal(err)
	}
}

// Running tells whether a daemon's process lives.
func (c *Cluster) Running(name string) bool {
	c.t.Helper()
	return c.daemon(name).running()
}

func (c *Cluster) daemon(name string) *daemon {
	c.t.Helper()
	for _, d := range c.daemons {
		if d.name == name {
			return d
		}
	}
	c.t.Fatalf("no daemon %q in this cluster", name)
	return nil
}

// Tool runs a program of the installation to its end and returns its output.
// The cluster's data directory is at Inside("") for it.
func (c *Cluster) Tool(ctx context.Context, args ...string) ([]byte, error) {
	full := c.from.command(c.dir, args...)
	process := exec.CommandContext(ctx, full[0], full[1:]...)
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := process.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("run %s: %w: %s", strings.Join(args, " "), err, tail(out, 15))
	}
	return out, nil
}

// Inside is the path of a file of the data directory as daemons see it.
func (c *Cluster) Inside(path string) string {
	return filepath.Join(c.from.inside(c.dir), path)
}

var errExited = errors.New("process ended")

// Alive returns an error that shows why, when a daemon ended that nobody stopped.
func (c *Cluster) Alive() error {
	for _, d := range c.daemons {
		if d.wanted && !d.running() {
			return fmt.Errorf("%s: %w: %s%s", d.name, errExited, tail(d.output.Bytes(), 15), c.logTail(d.name))
		}
	}
	return nil
}

func (c *Cluster) logTail(name string) string {
	body, err := os.ReadFile(filepath.Join(c.dir, "log", name+".log"))
	if err != nil {
		return ""
	}
	var telling []byte
	for line := range bytes.Lines(body) {
		if !bytes.Contains(line, []byte("_set_new_cache_sizes")) && !bytes.Contains(line, []byte("DBG")) {
			telling = append(telling, line...)
		}
	}
	return tail(telling, 15)
}

func tail(body []byte, lines int) string {
	all := strings.Split(strings.TrimSpace(string(body)), "\n")
	return "\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}
