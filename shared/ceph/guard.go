package ceph

import (
	"context"
	"errors"
)

// Broken tells whether an error means that a connection is of no more use: the key
// was changed under it, or nobody answers. A new connection may do better.
func Broken(err error) bool { return errors.Is(err, ErrDenied) || errors.Is(err, ErrUnreachable) }

// Guard shares a connection that somebody else keeps: lost is called, with the
// error, after every command that shows it Broken, and Close does nothing.
func Guard(conn Conn, lost func(error)) Conn { return &guarded{conn, lost} }

type guarded struct {
	Conn
	lost func(error)
}

func (g *guarded) Mon(ctx context.Context, cmd Command) (Reply, error) {
	reply, err := g.Conn.Mon(ctx, cmd)
	return reply, g.judge(err)
}

func (g *guarded) Mgr(ctx context.Context, cmd Command) (Reply, error) {
	reply, err := g.Conn.Mgr(ctx, cmd)
	return reply, g.judge(err)
}

func (g *guarded) Close() {}

func (g *guarded) judge(err error) error {
	if Broken(err) {
		g.lost(err)
	}
	return err
}
