package machine

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
)

const (
	shortestPause = 500 * time.Millisecond
	longestPause  = 10 * time.Second
	// settled is how long a service must have run to be started again without
	// a pause.
	settled = time.Minute
	// largestLog is when a service's log is emptied.
	largestLog = 64 << 20
)

// supervisor keeps services running and collects every orphan of the machine.
type supervisor struct {
	clock    func() time.Time
	services []*service
	children chan os.Signal
}

type service struct {
	config.Service
	pid     int
	began   time.Time
	pause   time.Duration
	startAt time.Time
}

func newSupervisor(services []config.Service, clock func() time.Time) *supervisor {
	s := &supervisor{clock: clock, children: make(chan os.Signal, 1)}
	for _, each := range services {
		s.services = append(s.services, &service{Service: each, pause: shortestPause})
	}
	signal.Notify(s.children, syscall.SIGCHLD)
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	return s
}

func (s *supervisor) startAll() error {
	for _, service := range s.services {
		if err := service.start(s.clock()); err != nil {
			return err
		}
	}
	return nil
}

// run never returns.
func (s *supervisor) run() {
	logs := time.NewTicker(time.Minute)
	for {
		wake := s.startDue()
		select {
		case <-s.children:
			s.collect()
		case <-wake:
		case <-logs.C:
			s.trimLogs()
		}
	}
}

// startDue starts the services whose pause is over and returns a channel that
// wakes when the next one is due; nil when none is.
func (s *supervisor) startDue() <-chan time.Time {
	now := s.clock()
	var next time.Duration
	for _, service := range s.services {
		if service.pid != 0 {
			continue
		}
		wait := service.startAt.Sub(now)
		if wait <= 0 {
			if err := service.start(now); err == nil {
				continue
			}
			service.rest(now)
			wait = service.pause
		}
		if next == 0 || wait < next {
			next = wait
		}
	}
	if next == 0 {
		return nil
	}
	return time.After(next)
}

func (s *supervisor) collect() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err != nil || pid <= 0 {
			return
		}
		for _, service := range s.services {
			if service.pid == pid {
				service.ended(s.clock(), status)
			}
		}
	}
}

func (s *supervisor) trimLogs() {
	for _, service := range s.services {
		if info, err := os.Stat(service.log()); err == nil && info.Size() > largestLog {
			_ = os.Truncate(service.log(), 0)
		}
	}
}

func (s *service) log() string { return filepath.Join(config.Logs, s.Name+".log") }

func (s *service) start(now time.Time) error {
	if err := os.MkdirAll(config.Logs, 0o755); err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	defer log.Close()
	empty, err := os.Open("/dev/null")
	if err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	defer empty.Close()
	process, err := os.StartProcess(s.Args[0], s.Args, &os.ProcAttr{
		Dir:   "/",
		Env:   []string{"PATH=" + config.SearchPath, "HOME=/root"},
		Files: []*os.File{empty, log, log},
		Sys:   &unix.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	s.pid, s.began = process.Pid, now
	return process.Release()
}

// ended notes the end of a service and when it starts again.
func (s *service) ended(now time.Time, status syscall.WaitStatus) {
	fmt.Fprintf(os.Stderr, "%s %s ended after %s: status %d, signal %d\n", now.UTC().Format(time.RFC3339), s.Name,
		now.Sub(s.began).Round(time.Millisecond), status.ExitStatus(), status.Signal())
	s.pid = 0
	if now.Sub(s.began) >= settled {
		s.pause = shortestPause
		s.startAt = now
		return
	}
	s.rest(now)
}

// rest doubles the pause up to the longest.
func (s *service) rest(now time.Time) {
	s.startAt = now.Add(s.pause)
	s.pause = min(2*s.pause, longestPause)
}
