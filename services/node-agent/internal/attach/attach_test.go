package attach

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/reach"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

var errMissing = errors.New("missing")

// backend is a fake that makes files in place of devices.
type backend struct {
	name      string
	available error
	fail      error
	attached  int
	detached  int
	// late is how many times a device shows no more of its image when it is told to.
	late int
}

func (b *backend) Name() string     { return b.name }
func (b *backend) Available() error { return b.available }

func (b *backend) Attach(_ context.Context, dir string, _ Volume, record *Attachment, save func() error) error {
	b.attached++
	if err := save(); err != nil {
		return err
	}
	if b.fail != nil {
		return b.fail
	}
	record.Device = filepath.Join(dir, "device")
	return os.WriteFile(record.Device, nil, 0o600)
}

func (b *backend) Healthy(_ string, record Attachment) bool {
	_, err := os.Stat(record.Device)
	return err == nil
}

func (b *backend) Grow(_ context.Context, _ string, record Attachment, size uint64) error {
	if b.late--; b.late >= 0 {
		return nil
	}
	return os.Truncate(record.Device, int64(size))
}

func (b *backend) Detach(_ context.Context, _ string, record Attachment) error {
	b.detached++
	if record.Device == "" {
		return nil
	}
	return os.RemoveAll(record.Device)
}

func volume() Volume {
	return Volume{
		ID: "0001-0009-rook-ceph-0000000000000002-uuid", Pool: "replicapool", Image: "csi-vol-1",
		Key: keyring.Key{Entity: "client.csi-rbd-node", Secret: "c2VjcmV0"},
		Connection: api.Connection{MonHost: "[v2:10.0.0.1:3300,v1:10.0.0.1:6789]", Endpoints: []api.MonitorEndpoint{
			{Name: "a", Address: "10.0.0.1", V2Port: 3300, V1Port: 6789}, {Name: "b", Address: "fd00::2", V2Port: 3300, V1Port: 6789},
		}},
	}
}

func TestAttacher(t *testing.T) {
	t.Parallel()
	b := &backend{name: FUSE}
	a := Attacher{Directory: t.TempDir(), Backends: []Backend{b}}
	first, err := a.Attach(t.Context(), volume(), Choice{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Attach(t.Context(), volume(), Choice{})
	if err != nil || b.attached != 1 {
		t.Errorf("attached %d times, %v", b.attached, err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	successor := Attacher{Directory: a.Directory, Backends: a.Backends}
	found, err := successor.List()
	if err != nil || len(found) != 1 || !successor.Serves(found[0]) {
		t.Errorf("a successor finds %v, %v", found, err)
	}
	if err := os.Remove(first.Device); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Attach(t.Context(), volume(), Choice{}); err != nil || b.attached != 2 || b.detached != 1 {
		t.Errorf("a broken device: attached %d times, detached %d, %v", b.attached, b.detached, err)
	}
	for range 2 {
		if err := a.Detach(t.Context(), volume().ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Find(volume().ID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("record is left: %v", err)
	}
}

func TestAttacher_believes_no_device_that_does_not_grow(t *testing.T) {
	t.Parallel()
	b := &backend{name: FUSE, late: 2}
	a := Attacher{Directory: t.TempDir(), Backends: []Backend{b}}
	record, err := a.Attach(t.Context(), volume(), Choice{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Grow(t.Context(), record, 1<<20); err != nil || b.late >= 0 {
		t.Errorf("a device that grows late: %v", err)
	}
	b.late = 1 << 20
	ctx, cancel := context.WithTimeout(t.Context(), 10*pace)
	defer cancel()
	if err := a.Grow(ctx, record, 2<<20); !errors.Is(err, ErrSmall) {
		t.Errorf("want ErrSmall, got %v", err)
	}
}

func TestAttacher_leaves_nothing_of_a_failed_attachment(t *testing.T) {
	t.Parallel()
	b := &backend{name: FUSE, fail: errMissing}
	a := Attacher{Directory: t.TempDir(), Backends: []Backend{b}}
	if _, err := a.Attach(t.Context(), volume(), Choice{}); !errors.Is(err, errMissing) {
		t.Fatal(err)
	}
	if list, err := a.List(); err != nil || len(list) > 0 || b.detached != 1 {
		t.Errorf("left %v, detached %d, %v", list, b.detached, err)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	here, absent := &backend{name: FUSE}, &backend{name: Kernel, available: errMissing}
	all := []Backend{absent, here}
	cases := map[string]struct {
		choice Choice
		want   string
		err    error
	}{
		"takes_the_best_that_there_is":           {Choice{}, FUSE, nil},
		"takes_what_the_class_names":             {Choice{Mounter: FUSE}, FUSE, nil},
		"refuses_others_than_the_class_names":    {Choice{Mounter: Kernel}, "", ErrNoBackend},
		"takes_others_when_the_class_allows":     {Choice{Mounter: Kernel, Others: TryOthers}, FUSE, nil},
		"refuses_a_name_that_nobody_knows":       {Choice{Mounter: "magic"}, "", ErrNoBackend},
		"takes_others_for_an_unknown_preference": {Choice{Mounter: "magic", Others: TryOthers}, FUSE, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := choose(all, tc.choice)
			if !errors.Is(err, tc.err) || err == nil && got.Name() != tc.want {
				t.Errorf("want %q %v, got %v %v", tc.want, tc.err, got, err)
			}
		})
	}
	if _, err := choose(all, Choice{Mounter: Kernel}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("the reason is not told: %v", err)
	}
}

func TestDaemonArgs_hold_no_key_and_escape_commas(t *testing.T) {
	t.Parallel()
	v := volume()
	v.Image, v.Namespace, v.ReadOnly = "a,b", "space", true
	got := strings.Join(daemonArgs("/dir", "/run/ceph.conf", v), " ")
	want := "qemu-storage-daemon --daemonize --pidfile /dir/pid --chardev socket,id=qmp,path=/dir/qmp.sock,server=on,wait=off --monitor chardev=qmp " +
		"--blockdev driver=rbd,node-name=volume,pool=replicapool,image=a,,b,user=csi-rbd-node,conf=/run/ceph.conf,discard=unmap,namespace=space,read-only=on " +
		"--export type=fuse,id=export,node-name=volume,mountpoint=/dir/image,writable=off"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if strings.Contains(got, v.Key.Secret) {
		t.Error("the key is in the arguments")
	}
}

func TestWriteConf_is_for_root_only(t *testing.T) {
	t.Parallel()
	path, err := reach.Conf(filepath.Join(t.TempDir(), "keys"), volume().Connection, volume().Key)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "[client.csi-rbd-node]\nkey = c2VjcmV0\n") {
		t.Errorf("%s, %v", text, err)
	}
}

// sysfs makes a kernel with the given devices: id -> attributes.
func sysfs(t *testing.T, devices map[string]map[string]string) Krbd {
	t.Helper()
	k := Krbd{Sys: t.TempDir()}
	for _, control := range []string{"add_single_major", "remove_single_major"} {
		put(t, k.bus(control), "")
	}
	for id, attributes := range devices {
		for name, value := range attributes {
			put(t, k.bus("devices", id, name), value+"\n")
		}
	}
	if err := os.MkdirAll(k.bus("devices"), 0o755); err != nil {
		t.Fatal(err)
	}
	return k
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func device(image string) map[string]string {
	return map[string]string{"pool": "replicapool", "name": image, "pool_ns": "", "current_snap": "-", "client_addr": "10.0.0.9:0/7"}
}

func TestKrbd(t *testing.T) {
	t.Parallel()
	t.Run("words_the_order_as_the_kernel_reads_it", func(t *testing.T) {
		t.Parallel()
		v := volume()
		v.ReadOnly, v.MapOptions = true, "read_from_replica=balance"
		want := "10.0.0.1:3300,[fd00::2]:3300 name=csi-rbd-node,secret=c2VjcmV0,noshare,ms_mode=prefer-crc,ro,read_from_replica=balance replicapool csi-vol-1 -"
		if diff := cmp.Diff(want, addOrder(v)); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
		v.Connection.Endpoints[1].V2Port = 0
		if got := addOrder(v); !strings.HasPrefix(got, "10.0.0.1:6789,[fd00::2]:6789 ") || strings.Contains(got, "ms_mode") {
			t.Errorf("monitors without v2: %s", got)
		}
	})
	t.Run("finds_the_newest_device_of_the_image", func(t *testing.T) {
		t.Parallel()
		k := sysfs(t, map[string]map[string]string{"9": device("csi-vol-1"), "10": device("csi-vol-1"), "11": device("other")})
		if got, err := k.find("replicapool", "", "csi-vol-1"); err != nil || got != "10" {
			t.Errorf("want 10, got %q, %v", got, err)
		}
		if _, err := k.find("replicapool", "", "none"); !errors.Is(err, errNoDevice) {
			t.Errorf("want errNoDevice, got %v", err)
		}
	})
	t.Run("removes_only_the_recorded_image", func(t *testing.T) {
		t.Parallel()
		k := sysfs(t, map[string]map[string]string{"3": device("other")})
		record := Attachment{KernelID: "3", Pool: "replicapool", Image: "csi-vol-1"}
		if err := k.Detach(t.Context(), "", record); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(k.bus("remove_single_major")); len(text) > 0 {
			t.Errorf("removed %q", text)
		}
		record.Image = "other"
		if err := k.Detach(t.Context(), "", record); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(k.bus("remove_single_major")); string(text) != "3" {
			t.Errorf("removed %q, want 3", text)
		}
	})
	t.Run("a_fenced_device_does_not_serve_and_is_removed", func(t *testing.T) {
		t.Parallel()
		k := sysfs(t, map[string]map[string]string{"3": device("csi-vol-1")})
		record := Attachment{KernelID: "3", Pool: "replicapool", Image: "csi-vol-1", Device: "/dev/rbd3"}
		k.Refused = func(device string) bool { return device != record.Device }
		if !k.Healthy("", record) {
			t.Error("a device that can be read does not serve")
		}
		k.Refused = func(device string) bool { return device == record.Device }
		if k.Healthy("", record) {
			t.Error("a device that refuses to read serves")
		}
		if err := k.Detach(t.Context(), "", record); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(k.bus("remove_single_major")); string(text) != "3" {
			t.Errorf("removed %q, want 3", text)
		}
	})
	t.Run("says_that_the_module_is_missing", func(t *testing.T) {
		t.Parallel()
		if err := (Krbd{Sys: t.TempDir()}).Available(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("want ErrNotExist, got %v", err)
		}
	})
}
