package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Argument is the hidden command of localkube that an init process runs.
const Argument = "machine-init"

// Process is a running init process, identified so that a number which the
// kernel has given to another process is never taken for it.
type Process struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"`
}

func pidFile(directory string) string { return filepath.Join(directory, "pid.json") }

// Find returns the init process of the machine in directory. It is false when
// none runs. A process whose pid file was lost is found by its command line.
func Find(directory string) (Process, bool) {
	if process, ok := recorded(directory); ok {
		return process, true
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return Process{}, false
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !isInit(pid, directory) {
			continue
		}
		if started, err := startTime(pid); err == nil {
			return Process{PID: pid, Started: started}, true
		}
	}
	return Process{}, false
}

func recorded(directory string) (Process, bool) {
	var process Process
	content, err := os.ReadFile(pidFile(directory))
	if err != nil || json.Unmarshal(content, &process) != nil {
		return Process{}, false
	}
	return process, process.Alive() && isInit(process.PID, directory)
}

// Alive is true while this very process runs; a zombie does not.
func (p Process) Alive() bool {
	started, err := startTime(p.PID)
	return err == nil && started == p.Started
}

// Kill ends the process and with it the whole machine.
func (p Process) Kill() error {
	if !p.Alive() {
		return nil
	}
	if err := unix.Kill(p.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", p.PID, err)
	}
	return nil
}

func (p Process) save(directory string) error {
	content, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode process: %w", err)
	}
	if err := os.WriteFile(pidFile(directory), content, 0o644); err != nil {
		return fmt.Errorf("note process: %w", err)
	}
	return nil
}

// isInit is true when the command line of pid is that of the machine's init.
func isInit(pid int, directory string) bool {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && isInitCommand(content, directory)
}

// isInitCommand reads a command line as /proc gives it: every argument ends
// with a zero byte.
func isInitCommand(commandLine []byte, directory string) bool {
	arguments := bytes.Split(bytes.TrimSuffix(commandLine, []byte{0}), []byte{0})
	return len(arguments) == 3 && string(arguments[1]) == Argument && string(arguments[2]) == directory
}

// startTime returns when the process began, in clock ticks since boot, from
// the 22nd field of its stat file. A zombie counts as gone.
func startTime(pid int) (uint64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read process %d: %w", pid, err)
	}
	return parseStartTime(string(content))
}

// parseStartTime skips the program's name, which may hold spaces and brackets.
func parseStartTime(stat string) (uint64, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const state, started = 0, 19
	if len(fields) <= started {
		return 0, fmt.Errorf("read process: its stat line is short")
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, os.ErrProcessDone
	}
	value, err := strconv.ParseUint(fields[started], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read process: %w", err)
	}
	return value, nil
}
