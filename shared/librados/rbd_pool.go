//go:build librados

package librados

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/ceph/go-ceph/rados"
	"github.com/ceph/go-ceph/rbd"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// omapPage is how many keys one read of a whole omap fetches.
const omapPage = 1024

// pool is an open ioctx. librados calls cannot be interrupted, so a call whose
// context ended goes on in its goroutine and the ioctx lives until it returned.
type pool struct {
	conn  *Conn
	ioctx *rados.IOContext
	id    int64
	name  string

	mu      sync.Mutex
	closing bool
	calls   int
}

func (p *pool) ID() int64    { return p.id }
func (p *pool) Name() string { return p.name }

// Close lets go of the ioctx; it goes when the last call has returned.
func (p *pool) Close() {
	p.mu.Lock()
	last := !p.closing && p.calls == 0
	p.closing = true
	p.mu.Unlock()
	if last {
		p.ioctx.Destroy()
	}
}

func (p *pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.calls++
	return true
}

func (p *pool) leave() {
	p.mu.Lock()
	p.calls--
	last := p.closing && p.calls == 0
	p.mu.Unlock()
	if last {
		p.ioctx.Destroy()
	}
}

// call runs do under the rules of the connection. do must touch nothing but its
// own variables, since it may go on after ctx ended.
func call[T any](ctx context.Context, p *pool, what string, do func() (T, error)) (T, error) {
	var value T
	answer := make(chan T, 1)
	err := p.conn.Do(ctx, what, func(*rados.Conn) error {
		if !p.enter() {
			return errClosed(what)
		}
		defer p.leave()
		value, err := do()
		answer <- value
		return failure(what, "", err)
	})
	if err == nil {
		value = <-answer
	}
	return value, err
}

func none(err error) (struct{}, error) { return struct{}{}, err }

// Omap reads keys of an object.
func (p *pool) Omap(ctx context.Context, object string, keys ...string) (map[string]string, error) {
	what := fmt.Sprintf("read omap %s/%s", p.name, object)
	return call(ctx, p, what, func() (map[string]string, error) {
		if len(keys) == 0 {
			return p.wholeOmap(object)
		}
		op := rados.CreateReadOp()
		defer op.Release()
		found := op.GetOmapValuesByKeys(keys)
		if err := op.Operate(p.ioctx, object, rados.OperationNoFlag); err != nil {
			return nil, err
		}
		values := map[string]string{}
		for {
			pair, err := found.Next()
			if err != nil {
				return nil, err
			}
			if pair == nil {
				return values, nil
			}
			values[pair.Key] = string(pair.Value)
		}
	})
}

func (p *pool) wholeOmap(object string) (map[string]string, error) {
	if _, err := p.ioctx.Stat(object); err != nil {
		return nil, err
	}
	all, err := p.ioctx.GetAllOmapValues(object, "", "", omapPage)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(all))
	for key, value := range all {
		values[key] = string(value)
	}
	return values, nil
}

// SetOmap sets keys of an object in one operation.
func (p *pool) SetOmap(ctx context.Context, object string, values map[string]string) error {
	pairs := make(map[string][]byte, len(values))
	for key, value := range values {
		pairs[key] = []byte(value)
	}
	_, err := call(ctx, p, fmt.Sprintf("write omap %s/%s", p.name, object), func() (struct{}, error) {
		return none(p.ioctx.SetOmap(object, pairs))
	})
	return err
}

// RemoveOmap removes keys of an object.
func (p *pool) RemoveOmap(ctx context.Context, object string, keys ...string) error {
	_, err := call(ctx, p, fmt.Sprintf("trim omap %s/%s", p.name, object), func() (struct{}, error) {
		return none(p.ioctx.RmOmapKeys(object, keys))
	})
	return err
}

// RemoveObject removes an object.
func (p *pool) RemoveObject(ctx context.Context, object string) error {
	_, err := call(ctx, p, fmt.Sprintf("remove object %s/%s", p.name, object), func() (struct{}, error) {
		return none(p.ioctx.Delete(object))
	})
	return err
}

// Lock takes an exclusive lock.
func (p *pool) Lock(ctx context.Context, object, name, cookie string, lease time.Duration) error {
	what := fmt.Sprintf("lock %s/%s", p.name, object)
	_, err := call(ctx, p, what, func() (struct{}, error) {
		code, err := p.ioctx.LockExclusive(object, name, cookie, "", lease, nil)
		return none(lockError(what, code, err))
	})
	return err
}

// Unlock gives a lock back.
func (p *pool) Unlock(ctx context.Context, object, name, cookie string) error {
	what := fmt.Sprintf("unlock %s/%s", p.name, object)
	_, err := call(ctx, p, what, func() (struct{}, error) {
		code, err := p.ioctx.Unlock(object, name, cookie)
		return none(lockError(what, code, err))
	})
	return err
}

// lockError: a lock that this cookie holds already is as good as a new one.
func lockError(what string, code int, err error) error {
	if err != nil || code == 0 || code == -int(syscall.EEXIST) {
		return err
	}
	return ceph.NewError(what, code, "")
}

// Namespaces lists the RBD namespaces of the pool.
func (p *pool) Namespaces(ctx context.Context) ([]string, error) {
	return call(ctx, p, "list namespaces of pool "+p.name, func() ([]string, error) {
		return rbd.NamespaceList(p.ioctx)
	})
}

// Init marks the pool for RBD.
func (p *pool) Init(ctx context.Context) error {
	_, err := call(ctx, p, "init pool "+p.name, func() (struct{}, error) {
		return none(rbd.PoolInit(p.ioctx, false))
	})
	return err
}
