package machine

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// File descriptors that Launch hands to an init process.
const (
	startDescriptor  = 3
	resultDescriptor = 4
)

// Init is the life of a machine's init process. It returns only when the
// machine could not be set up.
func Init(directory string, clock func() time.Time) error {
	if err := closeInherited(); err != nil {
		return err
	}
	start := os.NewFile(startDescriptor, "start")
	result := os.NewFile(resultDescriptor, "result")
	if os.Getpid() != 1 || start == nil || result == nil {
		return fmt.Errorf("start machine: this command is only for localkube itself; use `localkube up`")
	}
	if order, err := io.ReadAll(start); err != nil || string(order) != "go" {
		return fmt.Errorf("start machine: localkube ended before the machine was ready to start")
	}
	supervisor, err := prepare(directory, clock)
	var said report
	if err != nil {
		said.Failure = err.Error()
	}
	if err := json.NewEncoder(result).Encode(said); err != nil {
		return fmt.Errorf("report machine: %w", err)
	}
	if err := result.Close(); err != nil {
		return fmt.Errorf("report machine: %w", err)
	}
	if err != nil {
		return err
	}
	supervisor.run()
	return nil
}

// prepare builds the machine and starts its services.
func prepare(directory string, clock func() time.Time) (*supervisor, error) {
	spec, err := Load(directory)
	if err != nil {
		return nil, err
	}
	for _, part := range []func(Spec) error{buildRoot, enterRoot, configureNetwork} {
		if err := part(spec); err != nil {
			return nil, err
		}
	}
	supervisor := newSupervisor(spec.Services, clock)
	return supervisor, supervisor.startAll()
}

// closeInherited closes the files that came from whoever started localkube and
// keeps services from inheriting the two pipes: each would be held open for as
// long as the machine runs.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, entry := range entries {
		descriptor, err := strconv.Atoi(entry.Name())
		if err != nil || descriptor < startDescriptor {
			continue
		}
		if descriptor <= resultDescriptor {
			unix.CloseOnExec(descriptor)
			continue
		}
		flags, err := unix.FcntlInt(uintptr(descriptor), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(descriptor)
		}
	}
	return nil
}
