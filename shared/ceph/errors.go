package ceph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// What callers branch on, with errors.Is.
var (
	// ErrNotFound: the named thing does not exist (ENOENT).
	ErrNotFound = errors.New("not found")
	// ErrExists: it exists already (EEXIST).
	ErrExists = errors.New("already exists")
	// ErrBusy: it is in use, or the change is not safe now (EBUSY).
	ErrBusy = errors.New("busy")
	// ErrDenied: the cephx user may not, or Ceph wants a confirmation (EPERM, EACCES).
	ErrDenied = errors.New("denied")
	// ErrUnreachable: no reply. Whether the command was executed is unknown.
	ErrUnreachable = errors.New("unreachable")
	// ErrAgain: Ceph cannot tell or do it yet; ask again later (EAGAIN).
	ErrAgain = errors.New("try again")
	// ErrInvalid: Ceph refuses the arguments (EINVAL).
	ErrInvalid = errors.New("invalid argument")
	// ErrNotEmpty: it still has members (ENOTEMPTY).
	ErrNotEmpty = errors.New("not empty")
	// ErrUnsupported: this Ceph has no such command or feature (EOPNOTSUPP).
	ErrUnsupported = errors.New("not supported")
)

// Error is a command that Ceph refused: its prefix, the positive errno and
// Ceph's own status line. It matches the sentinel of its errno.
type Error struct {
	Prefix string
	Errno  syscall.Errno
	Status string
}

// NewError makes the error for a command that ended with a return code as
// librados gives it (negative or positive errno).
func NewError(prefix string, code int, status string) *Error {
	if code < 0 {
		code = -code
	}
	return &Error{Prefix: prefix, Errno: syscall.Errno(code), Status: status}
}

// Error is one line: the prefix and Ceph's words, or the errno's when Ceph
// said nothing.
func (e *Error) Error() string {
	words := strings.Join(strings.Fields(e.Status), " ")
	if words == "" {
		words = e.Errno.Error()
	}
	return e.Prefix + ": " + words
}

// Is tells whether target is the sentinel of this error's errno.
func (e *Error) Is(target error) bool {
	return sentinel(e.Errno) == target
}

// Unwrap gives the errno, so that errors.Is(err, syscall.ENOSPC) works.
func (e *Error) Unwrap() error { return e.Errno }

func sentinel(errno syscall.Errno) error {
	switch errno {
	case syscall.ENOENT:
		return ErrNotFound
	case syscall.EEXIST:
		return ErrExists
	case syscall.EBUSY:
		return ErrBusy
	case syscall.EPERM, syscall.EACCES:
		return ErrDenied
	case syscall.ENOTCONN, syscall.ETIMEDOUT, syscall.ECONNREFUSED, syscall.ECONNRESET,
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ESHUTDOWN, syscall.EPIPE:
		return ErrUnreachable
	case syscall.EAGAIN, syscall.EINTR:
		return ErrAgain
	case syscall.EINVAL:
		return ErrInvalid
	case syscall.ENOTEMPTY:
		return ErrNotEmpty
	case syscall.EOPNOTSUPP, syscall.ENOSYS:
		return ErrUnsupported
	}
	return nil
}

// Interrupted is the error of a call that its context ended. A passed
// deadline matches ErrUnreachable as well as context.DeadlineExceeded; a
// cancelled call matches context.Canceled only.
func Interrupted(ctx context.Context, prefix string) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: %w", prefix, ErrUnreachable, cause)
	}
	return fmt.Errorf("%s: %w", prefix, cause)
}
