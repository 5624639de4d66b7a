package real

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Gateway is a radosgw to start. Realm, ZoneGroup and Zone may be empty: the
// gateway then serves the default zone, which it makes itself.
type Gateway struct {
	// ID makes it client.rgw.<ID>.
	ID string
	// Realm, ZoneGroup and Zone that it serves.
	Realm, ZoneGroup, Zone string
	// Port on loopback; 0 for a free one.
	Port int
	// Caps of its identity; nil for those that a gateway of ours has.
	Caps keyring.Caps
	// Args are further arguments, such as --rgw-verify-ssl=false.
	Args []string
}

// FreePort returns a port of loopback that nobody listens on.
func FreePort() (int, error) { return freePort(loopback) }

// RGWPools makes pools for gateways: small, and of the application rgw, so that
// gateways may use them. Those that exist are left alone.
func (c *Cluster) RGWPools(names ...string) {
	c.t.Helper()
	ctx, client := c.t.Context(), c.Client()
	for _, name := range names {
		err := client.PoolCreate(ctx, ceph.PoolSpec{Name: name, PGNum: 1, AutoscaleMode: "off"}, ceph.Really)
		if err != nil && !errors.Is(err, ceph.ErrExists) {
			c.t.Fatalf("make pool %s: %v", name, err)
		}
		if err := client.PoolApplicationEnable(ctx, name, "rgw", ceph.Unconfirmed); err != nil {
			c.t.Fatalf("make pool %s one of rgw: %v", name, err)
		}
	}
}

// ZonePools are the names of the pools of a zone besides .rgw.root.
func ZonePools(zone string) []string {
	names := []string{".rgw.root"}
	for _, suffix := range []string{"control", "meta", "log", "buckets.index", "buckets.non-ec", "otp", "buckets.data"} {
		names = append(names, zone+".rgw."+suffix)
	}
	return names
}

// AddRGW starts a gateway and waits until it answers. It returns its URL, and
// is the daemon "client.rgw.<ID>" for Stop, Kill and Restart.
func (c *Cluster) AddRGW(gateway Gateway) string {
	c.t.Helper()
	if gateway.Port == 0 {
		port, err := freePort(loopback)
		if err != nil {
			c.t.Fatal(err)
		}
		gateway.Port = port
	}
	entity := "client.rgw." + gateway.ID
	caps := gateway.Caps
	if caps == nil {
		caps = keyring.RGW(gateway.ID).Caps
	}
	c.Identity(entity, caps)
	url := fmt.Sprintf("http://127.0.0.1:%d", gateway.Port)
	d := &daemon{name: entity, args: c.rgwArgs(entity, gateway)}
	c.daemons = append(c.daemons, d)
	if err := c.launch(d); err != nil {
		c.t.Fatal(err)
	}
	c.AwaitRGW(url)
	return url
}

func (c *Cluster) rgwArgs(entity string, gateway Gateway) []string {
	args := []string{
		"radosgw", "-c", c.Inside("ceph.conf"), "-n", entity, "-f",
		fmt.Sprintf("--rgw-frontends=beast endpoint=127.0.0.1:%d", gateway.Port),
		"--rgw-data=" + c.Inside(entity), "--rgw-thread-pool-size=32", "--rgw-dns-name=",
	}
	for flag, value := range map[string]string{"realm": gateway.Realm, "zonegroup": gateway.ZoneGroup, "zone": gateway.Zone} {
		if value != "" {
			args = append(args, "--rgw-"+flag+"="+value)
		}
	}
	return append(args, gateway.Args...)
}

// AwaitRGW waits until the gateway at a URL answers as S3 does.
func (c *Cluster) AwaitRGW(url string) {
	c.t.Helper()
	c.Await("the gateway at "+url+" answers", func(ctx context.Context) (bool, error) { return answers(ctx, url) })
}

func answers(ctx context.Context, url string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, fmt.Errorf("ask %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, fmt.Errorf("ask %s: %w", url, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	return response.StatusCode == http.StatusOK && strings.Contains(string(body), "ListAllMyBucketsResult"), err
}

// Identity makes a cephx user and puts its keyring where tools that run as it
// find it.
func (c *Cluster) Identity(entity string, caps keyring.Caps) keyring.Key {
	c.t.Helper()
	user, err := c.Client().AuthGetOrCreate(c.t.Context(), entity, caps)
	if err != nil {
		c.t.Fatalf("make %s: %v", entity, err)
	}
	c.keys[entity] = user.Key()
	if err := c.writeFile(entity+".keyring", keyring.Render(user.Key(), nil)); err != nil {
		c.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.dir, entity), 0o755); err != nil {
		c.t.Fatalf("make %s: %v", entity, err)
	}
	return user.Key()
}

// Command returns the command line, on the host, that runs a program of the
// installation.
func (c *Cluster) Command(args ...string) []string { return c.from.command(c.dir, args...) }

// RadosgwAdminCommand returns the command line, on the host, that runs
// radosgw-admin as an entity that Identity made, or as client.admin.
func (c *Cluster) RadosgwAdminCommand(entity string) []string {
	c.t.Helper()
	if key, known := c.keys[entity]; known {
		if err := c.writeFile(entity+".keyring", keyring.Render(key, nil)); err != nil {
			c.t.Fatal(err)
		}
	}
	return c.Command("radosgw-admin", "-c", c.Inside("ceph.conf"), "-n", entity, "--no-mon-config")
}

// RadosgwAdmin runs radosgw-admin as an entity and returns what it writes to its
// standard output. Its error has what it writes beside that.
func (c *Cluster) RadosgwAdmin(ctx context.Context, entity string, args ...string) ([]byte, error) {
	c.t.Helper()
	full := append(c.RadosgwAdminCommand(entity), args...)
	process := exec.CommandContext(ctx, full[0], full[1:]...)
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var complaints strings.Builder
	process.Stderr = &complaints
	out, err := process.Output()
	if err != nil {
		return out, fmt.Errorf("radosgw-admin %s: %w: %s", strings.Join(args, " "), err, tail([]byte(complaints.String()), 5))
	}
	return out, nil
}
