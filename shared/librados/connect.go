//go:build librados

package librados

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ceph/go-ceph/rados"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Built tells whether this binary carries librados.
func Built() bool { return true }

// Version is the librados that is loaded, such as "3.0.0".
func Version() string {
	major, minor, patch := rados.Version()
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

// Connect is Dial for callers that need the connection's own type.
func (d Dialer) Connect(ctx context.Context, at api.Connection, key keyring.Key) (*Conn, error) {
	conn, err := d.connect(ctx, at, key)
	if err != nil {
		return nil, fmt.Errorf("connect to Ceph at %q as %s: %w", at.MonHost, key.Entity, err)
	}
	return conn, nil
}

func (d Dialer) connect(ctx context.Context, at api.Connection, key keyring.Key) (*Conn, error) {
	switch {
	case strings.TrimSpace(at.MonHost) == "":
		return nil, fmt.Errorf("%w: %w", ceph.ErrInvalid, errNoMons)
	case key.Secret == "":
		return nil, fmt.Errorf("%w: %w", ceph.ErrInvalid, errNoKey)
	case !strings.HasPrefix(key.Entity, "client."):
		return nil, fmt.Errorf("%w: %w", ceph.ErrInvalid, errNotUser)
	}
	if ctx.Err() != nil {
		return nil, ceph.Interrupted(ctx, "connect")
	}
	handle, err := d.handle(at, key)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- d.join(handle, at) }()
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
		return newConn(handle, orDefault(d.InFlight, DefaultInFlight)), nil
	case <-ctx.Done():
		go func() {
			if <-done == nil {
				handle.Shutdown()
			}
		}()
		return nil, ceph.Interrupted(ctx, "connect")
	}
}

// handle makes and configures a librados handle; nothing is sent yet.
func (d Dialer) handle(at api.Connection, key keyring.Key) (*rados.Conn, error) {
	handle, err := rados.NewConnWithClusterAndUser("ceph", key.Entity)
	if err != nil {
		return nil, failure("create handle", "", err)
	}
	for name, value := range d.settings(at, key) {
		if err := handle.SetConfigOption(name, value); err != nil {
			return nil, failure("set option "+name, "", err)
		}
	}
	return handle, nil
}

// settings keeps the connection off the file system and small: one messenger
// thread and one service thread are plenty for commands of a few kilobytes.
func (d Dialer) settings(at api.Connection, key keyring.Key) map[string]string {
	settings := map[string]string{
		"mon_host":              at.MonHost,
		"key":                   key.Secret,
		"keyring":               "",
		"log_to_stderr":         "false",
		"err_to_stderr":         "false",
		"log_file":              "",
		"log_max_recent":        "1",
		"admin_socket":          "",
		"ms_async_op_threads":   "1",
		"librados_thread_count": "1",
		"client_mount_timeout":  seconds(orDefault(d.ConnectTimeout, DefaultConnectTimeout)),
		"rados_osd_op_timeout":  seconds(orDefault(d.OSDTimeout, DefaultOSDTimeout)),
	}
	for name, value := range d.Settings {
		settings[name] = value
	}
	return settings
}

// join connects a handle and checks that it reached the right cluster.
//
// The mon timeout is set only once connected, on purpose. librados reads it
// anew for every mon command, and cancels those safely. For mgr commands it
// uses the value from before connecting, and a mgr command that runs into a
// timeout leaves librados with pointers into a stack frame that is gone, which
// it writes through when a mgr comes back. So mgr commands must have none.
func (d Dialer) join(handle *rados.Conn, at api.Connection) error {
	if err := handle.Connect(); err != nil {
		return failure("connect", "", err)
	}
	timeout := seconds(orDefault(d.MonTimeout, DefaultMonTimeout))
	err := handle.SetConfigOption("rados_mon_op_timeout", timeout)
	if err != nil {
		handle.Shutdown()
		return failure("set option rados_mon_op_timeout", "", err)
	}
	fsid, err := handle.GetFSID()
	if err == nil && at.FSID != "" && fsid != at.FSID {
		err = fmt.Errorf("%w: the mons belong to cluster %s, not %s", ceph.ErrInvalid, fsid, at.FSID)
	}
	if err != nil {
		handle.Shutdown()
	}
	return err
}

// seconds rounds up, since librados takes whole seconds and 0 means for ever.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(max(1, math.Ceil(d.Seconds()))))
}
