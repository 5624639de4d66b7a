package storage

import (
	"context"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Dialer opens connections that reach data as well as daemons.
type Dialer interface {
	DialStorage(ctx context.Context, at api.Connection, key keyring.Key) (Cluster, error)
}

// Cluster is a connection to one Ceph cluster. It is safe for concurrent use.
// Every call honours ctx; one that ctx ends may still have taken effect.
type Cluster interface {
	ceph.Conn
	// PoolName returns the name of the pool with this id, ceph.ErrNotFound if
	// there is none.
	PoolName(ctx context.Context, id int64) (string, error)
	// Pool opens a RADOS namespace of a pool ("" is the default namespace),
	// ceph.ErrNotFound if there is no such pool.
	Pool(ctx context.Context, pool, namespace string) (Pool, error)
	// ListObjects lists RADOS objects of all namespaces of a pool but those with an
	// ignored name, and stops after limit of them: it is for those who ask
	// whether anything is there. ceph.ErrNotFound if there is no such pool.
	ListObjects(ctx context.Context, pool string, limit int, ignored []string) ([]Object, error)
}

// Object names a RADOS object of a pool.
type Object struct {
	Namespace string
	Name      string
}

// Pool is one RADOS namespace of one pool. It must be closed.
type Pool interface {
	Omaps
	Images
	// ID is the id of the pool.
	ID() int64
	// Name is the name of the pool.
	Name() string
	// Namespaces lists the RBD namespaces of the pool without the default one.
	Namespaces(ctx context.Context) ([]string, error)
	// Init marks the pool for use by RBD, as `rbd pool init` does. It changes
	// nothing on a pool that was marked before.
	Init(ctx context.Context) error
	// Close lets go of the pool. Calls in flight end by themselves.
	Close()
}

// Omaps reads and writes key-value maps of RADOS objects.
type Omaps interface {
	// Omap returns the values of the given keys, or of all keys when none is
	// given. Keys that are not set are left out. ceph.ErrNotFound says that
	// the object does not exist.
	Omap(ctx context.Context, object string, keys ...string) (map[string]string, error)
	// SetOmap sets the given keys in one atomic step and makes the object if
	// it does not exist.
	SetOmap(ctx context.Context, object string, values map[string]string) error
	// RemoveOmap removes the keys; keys that are not set are ignored.
	RemoveOmap(ctx context.Context, object string, keys ...string) error
	// RemoveObject removes an object, ceph.ErrNotFound if there is none.
	RemoveObject(ctx context.Context, object string) error
	// Lock takes the named exclusive lock of an object, which it makes if need be, for at
	// most lease. ceph.ErrBusy says that another cookie holds it.
	Lock(ctx context.Context, object, name, cookie string, lease time.Duration) error
	// Unlock gives a lock back, ceph.ErrNotFound if the cookie does not hold it.
	Unlock(ctx context.Context, object, name, cookie string) error
}

// Layout is how an image is made. Zero values leave the choice to the cluster.
type Layout struct {
	Size        uint64
	Features    []string
	DataPool    string
	StripeUnit  uint64
	StripeCount uint64
	ObjectSize  uint64
}

// Image is what is known about an existing image.
type Image struct {
	ID       string
	Size     uint64
	Features []string
	// DataPool is the id of the pool that its data is in.
	DataPool int64
	// Parent is the spec of the snapshot that it was cloned from, or empty.
	Parent string
}

// Watcher is a client that has an image open for writing: the identity that
// has to be fenced before another client may take over.
type Watcher struct {
	// Address is ip:port/nonce as in the OSD map's blocklist.
	Address string
	// Client is the global id of the client.
	Client int64
}

// Images makes, finds and removes RBD images.
type Images interface {
	// CreateImage makes an image of format 2, ceph.ErrExists if there is one.
	CreateImage(ctx context.Context, name string, layout Layout) error
	// Image looks an image up, ceph.ErrNotFound if there is none.
	Image(ctx context.Context, name string) (Image, error)
	// GrowImage makes an image larger, and never smaller: ceph.ErrInvalid for one that
	// is larger already, ceph.ErrNotFound if there is none.
	GrowImage(ctx context.Context, name string, size uint64) error
	// ImageName returns the name that an image has, or had before it went to the
	// trash, ceph.ErrNotFound if no image has the id.
	ImageName(ctx context.Context, id string) (string, error)
	// Watchers lists the clients that have the image open for writing.
	Watchers(ctx context.Context, name string) ([]Watcher, error)
	// TrashImage moves an image to the trash, ceph.ErrBusy while it is watched.
	TrashImage(ctx context.Context, name string) error
	// ListImages returns the names of all images.
	ListImages(ctx context.Context) ([]string, error)
	// ListTrash returns what waits in the trash.
	ListTrash(ctx context.Context) ([]Trashed, error)
	// PurgeTrashed removes an image from the trash with all its data, which
	// takes as long as the image is large; ceph.ErrNotFound if it is not there.
	PurgeTrashed(ctx context.Context, id string) error
}

// Trashed is an image in the trash.
type Trashed struct {
	ID   string
	Name string
	// Kept is the time until which the trash protects it.
	Kept time.Time
}
