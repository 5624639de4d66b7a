package rgwadmin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"k8s.io/utils/clock"
)

// Tool is a program of Ceph.
type Tool string

// The tools.
const (
	ToolRadosgwAdmin Tool = ""
	ToolRados        Tool = "rados"
	// ToolGateway is a gateway of another cluster: the arguments are a method and an
	// URL, the input is the body of the request.
	ToolGateway Tool = "gateway"
)

// Command is one call of radosgw-admin, of rados to empty a namespace, or of a
// gateway for what radosgw-admin does not do.
type Command struct {
	Tool Tool
	Args []string
	// Input is what it reads from its standard input.
	Input []byte
	// AccessKey and SecretKey are --access-key and --secret, on another way.
	AccessKey, SecretKey string
}

// Runner runs radosgw-admin. An error that it answered with is an *Error.
type Runner interface {
	Run(ctx context.Context, command Command) (stdout []byte, err error)
}

// Keys returns the keys that a reference names.
type Keys func(KeyRef) (accessKey, secretKey string, err error)

// Error is an answer of radosgw-admin that is no success.
type Error struct {
	// Verb is what was asked: "realm get".
	Verb string
	// Code is the exit status, most often an errno.
	Code int
	// Message is the last line of its complaints.
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("radosgw-admin %s: exit status %d: %s", e.Verb, e.Code, e.Message)
}

// NotFound tells whether there is no such thing.
func (e *Error) NotFound() bool { return e.Code == int(syscall.ENOENT) }

// Denied tells whether the keys or the identity are not accepted.
func (e *Error) Denied() bool {
	return e.Code == int(syscall.EACCES) || e.Code == int(syscall.EPERM) && strings.Contains(e.Message, "ermi")
}

// notFound tells whether an error says that there is no such thing.
func notFound(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.NotFound()
}

// Program runs the real radosgw-admin.
type Program struct {
	// Argv is radosgw-admin with the arguments that every call has; Rados is the
	// same of rados.
	Argv, Rados []string
	// Timeout of one call.
	Timeout time.Duration
	// Log is told what is run; it may be nil. There is nothing secret in it.
	Log func(line string)
	// Clock signs requests to gateways; nil is the system's.
	Clock clock.PassiveClock
}

// Run starts the program and waits for it.
func (p Program) Run(ctx context.Context, command Command) ([]byte, error) {
	if p.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Timeout)
		defer cancel()
	}
	if p.Log != nil {
		p.Log(strings.Join(command.Args, " "))
	}
	if command.Tool == ToolGateway {
		return p.request(ctx, command)
	}
	program := p.Argv
	if command.Tool == ToolRados {
		program = p.Rados
	}
	argv := append(append([]string{}, program...), command.Args...)
	process := exec.CommandContext(ctx, argv[0], argv[1:]...)
	process.WaitDelay = time.Second
	process.Stdin = bytes.NewReader(command.Input)
	process.Env = environment(command)
	var out, complaints bytes.Buffer
	process.Stdout, process.Stderr = &out, &complaints
	err := process.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	var exit *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &exit) {
		return nil, &Error{Verb: verb(command.Args), Code: exit.ExitCode(), Message: complaint(complaints.String(), command)}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("radosgw-admin %s: no answer: %w: %s", verb(command.Args), err, complaint(complaints.String(), command))
}

// environment hands keys over in a variable that Ceph reads more arguments from.
// Only the same user, and root, can read the environment of a process.
func environment(command Command) []string {
	env := append(os.Environ(), "CEPH_ARGS=")
	if command.AccessKey == "" {
		return env
	}
	return append(env, fmt.Sprintf("CEPH_ARGS=--access-key=%s --secret=%s", command.AccessKey, command.SecretKey))
}

// verb is the words before the first option.
func verb(args []string) string {
	for i, arg := range args {
		if strings.HasPrefix(arg, "-") {
			return strings.Join(args[:i], " ")
		}
	}
	return strings.Join(args, " ")
}

// complaint is the last line that says something, without keys in case that the
// program repeats them.
func complaint(text string, command Command) string {
	last := ""
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "NOTICE:") {
			last = line
		}
	}
	for _, secret := range []string{command.SecretKey, command.AccessKey} {
		if secret != "" {
			last = strings.ReplaceAll(last, secret, "***")
		}
	}
	return last
}
