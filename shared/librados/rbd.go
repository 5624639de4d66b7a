//go:build librados

package librados

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ceph/go-ceph/rados"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

var _ storage.Dialer = Dialer{}

// cluster is a connection that reaches pools as well as daemons.
type cluster struct{ *Conn }

// DialStorage connects like Dial and also reaches omaps and images.
func (d Dialer) DialStorage(ctx context.Context, at api.Connection, key keyring.Key) (storage.Cluster, error) {
	conn, err := d.Connect(ctx, at, key)
	if err != nil {
		return nil, err
	}
	return cluster{conn}, nil
}

// PoolName asks for the name of a pool. The answer comes from the osdmap that
// the connection holds; one that has not heard of a new pool asks again.
func (c cluster) PoolName(ctx context.Context, id int64) (string, error) {
	what := fmt.Sprintf("find pool %d", id)
	answer := make(chan string, 1)
	err := c.Do(ctx, what, func(handle *rados.Conn) error {
		name, err := handle.GetPoolByID(id)
		if isNotFound(err) {
			if err := handle.WaitForLatestOSDMap(); err != nil {
				return failure(what, "", err)
			}
			name, err = handle.GetPoolByID(id)
		}
		answer <- name
		return failure(what, "", err)
	})
	if err != nil {
		return "", err
	}
	return <-answer, nil
}

// Pool opens a namespace of a pool.
func (c cluster) Pool(ctx context.Context, name, namespace string) (storage.Pool, error) {
	what := fmt.Sprintf("open pool %q", name)
	var found opening
	err := c.Do(ctx, what, func(handle *rados.Conn) error {
		ioctx, err := openPool(handle, name)
		if err != nil {
			return failure(what, "", err)
		}
		ioctx.SetNamespace(namespace)
		found.give(&pool{conn: c.Conn, ioctx: ioctx, id: ioctx.GetPoolID(), name: name})
		return nil
	})
	opened := found.take()
	if err != nil {
		if opened != nil {
			opened.Close()
		}
		return nil, err
	}
	return opened, nil
}

// openPool asks again for a pool that the osdmap of the connection may be too
// old for.
func openPool(handle *rados.Conn, name string) (*rados.IOContext, error) {
	ioctx, err := handle.OpenIOContext(name)
	if !isNotFound(err) {
		return ioctx, err
	}
	if err := handle.WaitForLatestOSDMap(); err != nil {
		return nil, err
	}
	return handle.OpenIOContext(name)
}

// ListObjects lists objects of all namespaces of a pool. It has an ioctx of its own,
// since the namespace is a property of that.
func (c cluster) ListObjects(ctx context.Context, pool string, limit int, ignored []string) ([]storage.Object, error) {
	what := fmt.Sprintf("list objects of pool %q", pool)
	answer := make(chan []storage.Object, 1)
	err := c.Do(ctx, what, func(handle *rados.Conn) error {
		ioctx, err := openPool(handle, pool)
		if err != nil {
			return failure(what, "", err)
		}
		defer ioctx.Destroy()
		ioctx.SetNamespace(rados.AllNamespaces)
		found, err := someObjects(ioctx, limit, ignored)
		answer <- found
		return failure(what, "", err)
	})
	if err != nil {
		return nil, err
	}
	return <-answer, nil
}

func someObjects(ioctx *rados.IOContext, limit int, ignored []string) ([]storage.Object, error) {
	objects, err := ioctx.Iter()
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	var found []storage.Object
	for len(found) < limit && objects.Next() {
		if !slices.Contains(ignored, objects.Value()) {
			found = append(found, storage.Object{Namespace: objects.Namespace(), Name: objects.Value()})
		}
	}
	return found, objects.Err()
}

// opening hands a pool from librados' goroutine to a caller that may have left.
type opening struct {
	mu     sync.Mutex
	opened *pool
	left   bool
}

func (o *opening) give(opened *pool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left {
		opened.Close()
		return
	}
	o.opened = opened
}

func (o *opening) take() *pool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.left = true
	return o.opened
}

func isNotFound(err error) bool { return errors.Is(err, rados.ErrNotFound) }
