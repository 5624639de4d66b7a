package storage

import (
	"context"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Guard shares a connection that somebody else keeps: lost is called, with the
// error, after every call that shows the connection ceph.Broken, on the cluster or
// on one of its pools, and Close does nothing.
func Guard(cluster Cluster, lost func(error)) Cluster {
	return &guarded{Cluster: cluster, conn: ceph.Guard(cluster, lost), watch: watch(lost)}
}

// watch looks at errors on their way.
type watch func(error)

func (w watch) judge(err error) error {
	if ceph.Broken(err) {
		w(err)
	}
	return err
}

type guarded struct {
	Cluster
	watch
	conn ceph.Conn
}

func (g *guarded) Close() {}

func (g *guarded) Mon(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return g.conn.Mon(ctx, cmd)
}

func (g *guarded) Mgr(ctx context.Context, cmd ceph.Command) (ceph.Reply, error) {
	return g.conn.Mgr(ctx, cmd)
}

func (g *guarded) PoolName(ctx context.Context, id int64) (string, error) {
	name, err := g.Cluster.PoolName(ctx, id)
	return name, g.judge(err)
}

func (g *guarded) Pool(ctx context.Context, name, namespace string) (Pool, error) {
	opened, err := g.Cluster.Pool(ctx, name, namespace)
	if err != nil {
		return nil, g.judge(err)
	}
	return guardedPool{opened, g.watch}, nil
}

func (g *guarded) ListObjects(ctx context.Context, pool string, limit int, ignored []string) ([]Object, error) {
	found, err := g.Cluster.ListObjects(ctx, pool, limit, ignored)
	return found, g.judge(err)
}

type guardedPool struct {
	Pool
	watch
}

func (p guardedPool) Namespaces(ctx context.Context) ([]string, error) {
	found, err := p.Pool.Namespaces(ctx)
	return found, p.judge(err)
}

func (p guardedPool) Init(ctx context.Context) error {
	return p.judge(p.Pool.Init(ctx))
}

func (p guardedPool) Omap(ctx context.Context, object string, keys ...string) (map[string]string, error) {
	found, err := p.Pool.Omap(ctx, object, keys...)
	return found, p.judge(err)
}

func (p guardedPool) SetOmap(ctx context.Context, object string, values map[string]string) error {
	return p.judge(p.Pool.SetOmap(ctx, object, values))
}

func (p guardedPool) RemoveOmap(ctx context.Context, object string, keys ...string) error {
	return p.judge(p.Pool.RemoveOmap(ctx, object, keys...))
}

func (p guardedPool) RemoveObject(ctx context.Context, object string) error {
	return p.judge(p.Pool.RemoveObject(ctx, object))
}

func (p guardedPool) Lock(ctx context.Context, object, name, cookie string, lease time.Duration) error {
	return p.judge(p.Pool.Lock(ctx, object, name, cookie, lease))
}

func (p guardedPool) Unlock(ctx context.Context, object, name, cookie string) error {
	return p.judge(p.Pool.Unlock(ctx, object, name, cookie))
}

func (p guardedPool) CreateImage(ctx context.Context, name string, layout Layout) error {
	return p.judge(p.Pool.CreateImage(ctx, name, layout))
}

func (p guardedPool) Image(ctx context.Context, name string) (Image, error) {
	found, err := p.Pool.Image(ctx, name)
	return found, p.judge(err)
}

func (p guardedPool) GrowImage(ctx context.Context, name string, size uint64) error {
	return p.judge(p.Pool.GrowImage(ctx, name, size))
}

func (p guardedPool) ImageName(ctx context.Context, id string) (string, error) {
	found, err := p.Pool.ImageName(ctx, id)
	return found, p.judge(err)
}

func (p guardedPool) Watchers(ctx context.Context, name string) ([]Watcher, error) {
	found, err := p.Pool.Watchers(ctx, name)
	return found, p.judge(err)
}

func (p guardedPool) TrashImage(ctx context.Context, name string) error {
	return p.judge(p.Pool.TrashImage(ctx, name))
}

func (p guardedPool) ListImages(ctx context.Context) ([]string, error) {
	found, err := p.Pool.ListImages(ctx)
	return found, p.judge(err)
}

func (p guardedPool) ListTrash(ctx context.Context) ([]Trashed, error) {
	found, err := p.Pool.ListTrash(ctx)
	return found, p.judge(err)
}

func (p guardedPool) PurgeTrashed(ctx context.Context, id string) error {
	return p.judge(p.Pool.PurgeTrashed(ctx, id))
}
