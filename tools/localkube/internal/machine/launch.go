package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// report is what an init process says once it has set up its machine.
type report struct {
	Failure string `json:"failure"`
}

// Launch starts the machine's init process from the program at executable and
// returns when the machine is set up and its services have been started.
// Connect is called with the new process before it does anything, to give it
// its cgroup and its network cable. A failure leaves no process behind.
func Launch(ctx context.Context, executable string, spec Spec, connect func(pid int) error) (Process, error) {
	log, err := os.OpenFile(filepath.Join(spec.Directory, "init.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return Process{}, fmt.Errorf("open log of machine %s: %w", spec.Name, err)
	}
	defer log.Close()
	start, result, inherited, err := pipes()
	if err != nil {
		return Process{}, err
	}
	defer result.Close()
	command := exec.Command(executable, Argument, spec.Directory)
	command.Stdout, command.Stderr, command.ExtraFiles = log, log, inherited
	command.Env = []string{"HOME=/root"}
	command.SysProcAttr = &unix.SysProcAttr{
		Setsid:     true,
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	err = command.Start()
	for _, file := range inherited {
		_ = file.Close()
	}
	if err != nil {
		return Process{}, errors.Join(fmt.Errorf("start machine %s: %w", spec.Name, err), start.Close())
	}
	process, err := follow(ctx, command.Process.Pid, spec, connect, start, result)
	if err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return Process{}, err
	}
	return process, command.Process.Release()
}

// pipes returns our ends of the two pipes to the init process and its own.
func pipes() (start, result *os.File, inherited []*os.File, err error) {
	startRead, startWrite, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open pipe: %w", err)
	}
	resultRead, resultWrite, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("open pipe: %w", err), startRead.Close(), startWrite.Close())
	}
	return startWrite, resultRead, []*os.File{startRead, resultWrite}, nil
}

func follow(ctx context.Context, pid int, spec Spec, connect func(int) error, start, result *os.File) (Process, error) {
	process := Process{PID: pid}
	var err error
	if process.Started, err = startTime(pid); err != nil {
		return process, errors.Join(err, start.Close())
	}
	if err := errors.Join(process.save(spec.Directory), connect(pid)); err != nil {
		return process, errors.Join(err, start.Close())
	}
	if _, err := start.Write([]byte("go")); err != nil {
		return process, fmt.Errorf("release machine %s: %w", spec.Name, err)
	}
	if err := start.Close(); err != nil {
		return process, fmt.Errorf("release machine %s: %w", spec.Name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = unix.Kill(pid, unix.SIGKILL) })
	defer stop()
	content, err := io.ReadAll(result)
	if err != nil {
		return process, fmt.Errorf("await machine %s: %w", spec.Name, err)
	}
	return process, judge(spec, content)
}

// judge turns an init process's report into an error. One that died before it
// reported said why in its log.
func judge(spec Spec, content []byte) error {
	var said report
	if json.Unmarshal(content, &said) != nil {
		log := filepath.Join(spec.Directory, "init.log")
		return fmt.Errorf("set up machine %s: its init process ended: %s (see %s)", spec.Name, lastLine(log), log)
	}
	if said.Failure != "" {
		return fmt.Errorf("set up machine %s: %s", spec.Name, said.Failure)
	}
	return nil
}

func lastLine(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return lines[len(lines)-1]
}
