package outlive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a process that is not our child. The start time tells it from
// another one that was given the same id later.
type Process struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"`
}

// startField is the place of the start time in /proc/<pid>/stat behind the
// command's closing parenthesis.
const startField = 19

// FindProcess returns the process whose id is in the file.
func FindProcess(pidFile string) (Process, error) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return Process{}, fmt.Errorf("read pid: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return Process{}, fmt.Errorf("read pid %q: %w", text, os.ErrInvalid)
	}
	started, err := startTime(pid)
	if err != nil {
		return Process{}, err
	}
	return Process{PID: pid, Started: started}, nil
}

func startTime(pid int) (uint64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("read process %d: %w", pid, err)
	}
	_, rest, found := strings.Cut(string(text), ") ")
	if last := strings.LastIndex(string(text), ") "); last >= 0 {
		rest = string(text)[last+2:]
	}
	fields := strings.Fields(rest)
	if !found || len(fields) <= startField {
		return 0, fmt.Errorf("read process %d: %w", pid, os.ErrInvalid)
	}
	if fields[0] == "Z" {
		return 0, fmt.Errorf("read process %d: %w", pid, os.ErrNotExist)
	}
	started, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read process %d: %w", pid, err)
	}
	return started, nil
}

// Alive tells whether exactly this process still runs.
func (p Process) Alive() bool {
	if p.PID == 0 {
		return false
	}
	started, err := startTime(p.PID)
	return err == nil && started == p.Started
}

// errStillRuns is returned for a process that did not end in time.
var errStillRuns = errors.New("process still runs")

// Await waits until the process is gone.
func (p Process) Await(ctx context.Context, patience time.Duration) error {
	const pace = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for p.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for process %d: %w", p.PID, errStillRuns)
		case <-tick.C:
		}
	}
	return nil
}

// Signal sends a signal to exactly this process.
func (p Process) Signal(signal syscall.Signal) error {
	if !p.Alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end process %d: %w", p.PID, err)
	}
	return nil
}
