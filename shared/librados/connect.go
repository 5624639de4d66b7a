//go:build librados

package librados

import (
	"context"
	"fmt"
	"maps"
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
	if err := check(at, key); err != nil {
		return nil, failedConnect(at, key, err)
	}
	mons, err := d.open(ctx, at, key, orDefault(d.MonTimeout, DefaultMonTimeout))
	if err != nil {
		return nil, failedConnect(at, key, err)
	}
	openMgr := func(ctx context.Context) (*line, error) {
		opened, err := d.open(ctx, at, key, forever)
		if err != nil {
			return nil, failedConnect(at, key, err)
		}
		return opened, nil
	}
	return &Conn{line: mons, openMgr: openMgr, gate: make(chan struct{}, 1)}, nil
}

func failedConnect(at api.Connection, key keyring.Key, err error) error {
	return fmt.Errorf("connect to Ceph at %q as %s: %w", at.MonHost, key.Entity, err)
}

func check(at api.Connection, key keyring.Key) error {
	switch {
	case strings.TrimSpace(at.MonHost) == "":
		return fmt.Errorf("%w: %w", ceph.ErrInvalid, errNoMons)
	case key.Secret == "":
		return fmt.Errorf("%w: %w", ceph.ErrInvalid, errNoKey)
	case !strings.HasPrefix(key.Entity, "client."):
		return fmt.Errorf("%w: %w", ceph.ErrInvalid, errNotUser)
	}
	return nil
}

// forever is the timeout of a handle whose commands librados never gives up.
const forever time.Duration = 0

// open makes and connects one handle, and leaves it behind when ctx ends.
func (d Dialer) open(ctx context.Context, at api.Connection, key keyring.Key, timeout time.Duration) (*line, error) {
	if ctx.Err() != nil {
		return nil, ceph.Interrupted(ctx, "connect")
	}
	handle, err := d.handle(at, key, timeout)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- join(handle, at) }()
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
		return newLine(handle, d), nil
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
func (d Dialer) handle(at api.Connection, key keyring.Key, timeout time.Duration) (*rados.Conn, error) {
	handle, err := rados.NewConnWithClusterAndUser("ceph", key.Entity)
	if err != nil {
		return nil, failure("create handle", "", err)
	}
	for name, value := range d.settings(at, key, timeout) {
		if err := handle.SetConfigOption(name, value); err != nil {
			return nil, failure("set option "+name, "", err)
		}
	}
	return handle, nil
}

// settings keeps the connection off the file system and small: one messenger
// thread and one service thread are plenty for commands of a few kilobytes.
// A silent mon is given up after seconds, where Ceph waits for half a minute.
func (d Dialer) settings(at api.Connection, key keyring.Key, timeout time.Duration) map[string]string {
	settings := map[string]string{
		"mon_host":                              at.MonHost,
		"key":                                   key.Secret,
		"keyring":                               "",
		"log_to_stderr":                         "false",
		"err_to_stderr":                         "false",
		"log_file":                              "",
		"log_max_recent":                        "1",
		"admin_socket":                          "",
		"ms_async_op_threads":                   "1",
		"librados_thread_count":                 "1",
		"mon_client_hunt_interval":              "1",
		"mon_client_hunt_interval_max_multiple": "5",
		"mon_client_ping_interval":              "3",
		"mon_client_ping_timeout":               "8",
		"client_mount_timeout":                  seconds(orDefault(d.ConnectTimeout, DefaultConnectTimeout)),
		"rados_osd_op_timeout":                  seconds(orDefault(d.OSDTimeout, DefaultOSDTimeout)),
	}
	maps.Copy(settings, d.Settings)
	settings["rados_mon_op_timeout"] = seconds(timeout)
	return settings
}

// join connects a handle and checks that it reached the right cluster.
func join(handle *rados.Conn, at api.Connection) error {
	if err := handle.Connect(); err != nil {
		return failure("connect", "", err)
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

// seconds rounds up, since librados takes whole seconds; 0 means for ever.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
