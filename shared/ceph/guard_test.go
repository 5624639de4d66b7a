package ceph_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// answering is a connection that answers every command with one error.
type answering struct {
	err    error
	closed bool
}

func (a *answering) Mon(context.Context, ceph.Command) (ceph.Reply, error) {
	return ceph.Reply{}, a.err
}

func (a *answering) Mgr(context.Context, ceph.Command) (ceph.Reply, error) {
	return ceph.Reply{}, a.err
}

func (a *answering) Close() { a.closed = true }

func TestAGuardTellsWhenAConnectionIsBrokenAndNeverClosesIt(t *testing.T) {
	for _, tc := range []struct {
		err    error
		broken bool
	}{
		{nil, false}, {ceph.ErrBusy, false}, {context.Canceled, false},
		{ceph.NewError("status", 13, ""), true}, {ceph.NewError("status", 110, ""), true},
	} {
		conn := &answering{err: tc.err}
		var told []error
		shared := ceph.Guard(conn, func(err error) { told = append(told, err) })
		_, mon := shared.Mon(t.Context(), ceph.Command{Prefix: "status"})
		_, mgr := shared.Mgr(t.Context(), ceph.Command{Prefix: "status"})
		if !errors.Is(mon, tc.err) || !errors.Is(mgr, tc.err) {
			t.Errorf("%v became %v and %v", tc.err, mon, mgr)
		}
		if tc.broken != (len(told) == 2) || !tc.broken && len(told) > 0 {
			t.Errorf("%v: told %v", tc.err, told)
		}
		if shared.Close(); conn.closed {
			t.Error("a shared connection was closed")
		}
	}
}
