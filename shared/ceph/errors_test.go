package ceph_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestErrnosMatchTheirSentinels(t *testing.T) {
	for errno, want := range map[syscall.Errno]error{
		syscall.ENOENT: ceph.ErrNotFound, syscall.EEXIST: ceph.ErrExists, syscall.EBUSY: ceph.ErrBusy,
		syscall.EPERM: ceph.ErrDenied, syscall.EACCES: ceph.ErrDenied, syscall.ENOTCONN: ceph.ErrUnreachable,
		syscall.ETIMEDOUT: ceph.ErrUnreachable, syscall.EAGAIN: ceph.ErrAgain, syscall.EINVAL: ceph.ErrInvalid,
		syscall.ENOTEMPTY: ceph.ErrNotEmpty, syscall.EOPNOTSUPP: ceph.ErrUnsupported,
	} {
		for _, code := range []int{int(errno), -int(errno)} {
			err := error(ceph.NewError("osd purge", code, ""))
			if !errors.Is(err, want) || !errors.Is(err, errno) {
				t.Errorf("code %d: want %v, got %v", code, want, err)
			}
			for _, other := range []error{ceph.ErrNotFound, ceph.ErrBusy, ceph.ErrUnreachable} {
				if !errors.Is(want, other) && errors.Is(err, other) {
					t.Errorf("code %d also matches %v", code, other)
				}
			}
		}
	}
}

func TestAnErrorIsOneLineInCephsWords(t *testing.T) {
	err := ceph.NewError("osd purge", -16, "osd.3 is not `down`.\n")
	if got, want := err.Error(), "osd purge: osd.3 is not `down`."; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	if got := ceph.NewError("status", -110, "").Error(); !strings.HasPrefix(got, "status: ") || got == "status: " {
		t.Errorf("no words for a bare errno: %q", got)
	}
}

func TestAPassedDeadlineIsUnreachableAndACancelIsNot(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if err := ceph.Interrupted(late, "status"); !errors.Is(err, ceph.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: got %v", err)
	}
	gone, cancelNow := context.WithCancel(t.Context())
	cancelNow()
	if err := ceph.Interrupted(gone, "status"); errors.Is(err, ceph.ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancel: got %v", err)
	}
}

// watcher notes what a call sends.
type watcher struct {
	replay
	sent     ceph.Command
	deadline bool
}

func (w *watcher) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	_, w.deadline = ctx.Deadline()
	w.sent = cmd
	return ceph.Reply{Body: []byte("{}")}, nil
}

func TestEveryCallHasADeadlineAndTypedArguments(t *testing.T) {
	seen := &watcher{}
	client := ceph.Client{Conn: seen}
	if err := client.CrushSet(context.Background(), 3, 1, ceph.Location{"host=n1"}); err != nil {
		t.Fatal(err)
	}
	if !seen.deadline {
		t.Error("the call has no deadline")
	}
	body, err := seen.sent.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"args":["host=n1"],"format":"json","id":3,"prefix":"osd crush set","weight":1.0}`
	if string(body) != want {
		t.Errorf("want %s, got %s", want, body)
	}
}

func TestSecretsTravelAsInput(t *testing.T) {
	seen := &watcher{}
	client := ceph.Client{Conn: seen}
	_, _ = client.OSDNew(t.Context(), ceph.OSDNewRequest{UUID: "u", CephxSecret: "hush"})
	body, err := seen.sent.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "hush") || !strings.Contains(string(seen.sent.Input), "hush") {
		t.Errorf("the key is in the command: %s", body)
	}
}

func TestReservedPoolNamesNeedConfirmation(t *testing.T) {
	client := ceph.Client{Conn: &watcher{}}
	if err := client.PoolCreate(t.Context(), ceph.PoolSpec{Name: ".mgr"}, ceph.Unconfirmed); !errors.Is(err, ceph.ErrDenied) {
		t.Errorf("want ErrDenied, got %v", err)
	}
	if err := client.PoolCreate(t.Context(), ceph.PoolSpec{Name: ".mgr"}, ceph.Really); err != nil {
		t.Errorf("confirmed: %v", err)
	}
}
