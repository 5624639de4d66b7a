package fsmount

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/outlive"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

const secret = "c2VjcmV0"

func access(endpoints ...api.MonitorEndpoint) Access {
	if len(endpoints) == 0 {
		endpoints = []api.MonitorEndpoint{{Name: "a", Address: "10.0.0.1", V1Port: 6789, V2Port: 3300}, {Name: "b", Address: "fd00::1", V2Port: 3300}}
	}
	return Access{
		Connection: api.Connection{MonHost: "10.0.0.1", Endpoints: endpoints},
		Key:        keyring.Key{Entity: "client.csi-cephfs-node", Secret: secret},
	}
}

func volume(edit ...func(*Volume)) Volume {
	v := Volume{ID: "handle", Where: "/staging", FSName: "myfs", Path: "/volumes/csi/v/u"}
	for _, e := range edit {
		e(&v)
	}
	return v
}

func TestKernelCall(t *testing.T) {
	t.Parallel()
	const base = "name=csi-cephfs-node,secret=" + secret + ",mds_namespace=myfs,mount_timeout=30"
	cases := map[string]struct {
		access Access
		volume Volume
		source string
		flags  uintptr
		data   string
	}{
		"speaks_the_second_protocol_where_all_monitors_do": {access(), volume(),
			"10.0.0.1:3300,[fd00::1]:3300:/volumes/csi/v/u", 0, base + ",ms_mode=prefer-crc"},
		"speaks_the_first_protocol_otherwise": {
			access(api.MonitorEndpoint{Address: "10.0.0.1", V1Port: 6789}, api.MonitorEndpoint{Address: "10.0.0.2", V1Port: 6789, V2Port: 3300}),
			volume(), "10.0.0.1:6789,10.0.0.2:6789:/volumes/csi/v/u", 0, base},
		"turns_flags_into_bits_and_keeps_options": {access(), volume(func(v *Volume) {
			v.Flags, v.KernelOptions = []string{"noatime", "_netdev", "nosuid"}, "recover_session=clean, wsize=1048576"
		}), "10.0.0.1:3300,[fd00::1]:3300:/volumes/csi/v/u", unix.MS_NOATIME | unix.MS_NOSUID,
			base + ",ms_mode=prefer-crc,recover_session=clean,wsize=1048576"},
		"lets_the_class_choose_the_protocol": {access(), volume(func(v *Volume) { v.KernelOptions = "ms_mode=secure" }),
			"10.0.0.1:3300,[fd00::1]:3300:/volumes/csi/v/u", 0, base + ",ms_mode=secure"},
		"takes_the_last_of_what_excludes_one_another": {access(), volume(func(v *Volume) {
			v.Flags, v.KernelOptions = []string{"atime"}, "noatime,nosuid,suid,ms_mode=crc,rasize=1,ms_mode=secure"
		}), "10.0.0.1:3300,[fd00::1]:3300:/volumes/csi/v/u", 0, base + ",rasize=1,ms_mode=secure"},
		"is_read-only_whatever_the_options_say": {access(), volume(func(v *Volume) { v.ReadOnly, v.Flags = true, []string{"rw"} }),
			"10.0.0.1:3300,[fd00::1]:3300:/volumes/csi/v/u", unix.MS_RDONLY, base + ",ms_mode=prefer-crc"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, flags, data, err := kernelCall(tc.access, tc.volume)
			if err != nil || source != tc.source || flags != tc.flags || data != tc.data {
				t.Errorf("got %q, %b, %q, %v", source, flags, data, err)
			}
		})
	}
	if _, _, _, err := kernelCall(Access{}, volume()); !errors.Is(err, errNoPorts) {
		t.Errorf("without monitors: %v", err)
	}
}

func TestKernel_is_available_where_the_kernel_lists_ceph(t *testing.T) {
	t.Parallel()
	list := filepath.Join(t.TempDir(), "filesystems")
	kernel := Kernel{Filesystems: list}
	for text, want := range map[string]bool{"nodev\tsysfs\nnodev\tceph\n\text4\n": true, "nodev\tsysfs\nnodev\tcephalopod\n": false} {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := kernel.Available(); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKernel_gives_up_waiting_when_the_call_is_over(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	kernel := Kernel{Call: func(string, string, string, uintptr, string) error { <-stuck; return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := kernel.Mount(ctx, "", access(), &Mount{Volume: volume()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestKernel_calls_servers_it_did_not_find_unreachable(t *testing.T) {
	t.Parallel()
	for errno, unreachable := range map[unix.Errno]bool{unix.EHOSTUNREACH: true, unix.ETIMEDOUT: true, unix.EACCES: false, 0: false} {
		kernel := Kernel{Call: func(string, string, string, uintptr, string) error {
			if errno == 0 {
				return nil
			}
			return errno
		}}
		err := kernel.Mount(t.Context(), "", access(), &Mount{Volume: volume()})
		if errors.Is(err, ceph.ErrUnreachable) != unreachable {
			t.Errorf("%v: got %v, want unreachable %t", errno, err, unreachable)
		}
		if (err == nil) != (errno == 0) || err != nil && !errors.Is(err, errno) {
			t.Errorf("%v is lost: got %v", errno, err)
		}
	}
}

func TestFUSEArgs_hold_options_and_no_key(t *testing.T) {
	t.Parallel()
	got := fuseArgs("/keys/ceph.conf", access(), volume(func(v *Volume) {
		v.ReadOnly, v.Flags, v.FUSEOptions = true, []string{"ro", "noatime", "_netdev"}, "big_writes, max_read=131072"
	}))
	want := []string{"ceph-fuse", "/staging", "-c", "/keys/ceph.conf", "--id", "csi-cephfs-node", "-o", "ro,big_writes,max_read=131072,noatime"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if strings.Contains(strings.Join(got, " "), secret) {
		t.Error("the key is in the arguments")
	}
}

// double is a mounter that only remembers.
type double struct {
	name      string
	available error
	fail      error
	ended     []string
}

func (d *double) Name() string      { return d.name }
func (d *double) Available() error  { return d.available }
func (d *double) Serves(Mount) bool { return true }
func (d *double) Mount(_ context.Context, _ string, _ Access, made *Mount) error {
	made.Process = outlive.Process{PID: 7}
	return d.fail
}

func (d *double) End(_ context.Context, _ string, made Mount) error {
	d.ended = append(d.ended, made.ID)
	return nil
}

func TestMounters_choose(t *testing.T) {
	t.Parallel()
	missing := errors.New("module is missing")
	cases := map[string]struct {
		kernel, fuse error
		wanted       string
		want         string
		words        string
	}{
		"the_kernel_first":               {nil, nil, "", "kernel", ""},
		"the_next_where_it_has_none":     {missing, nil, "", "fuse", ""},
		"what_the_class_names":           {nil, nil, "fuse", "fuse", ""},
		"nothing_but_what_it_names":      {missing, nil, "kernel", "", "kernel: module is missing"},
		"nothing_that_is_unknown":        {nil, nil, "nfs", "", `"nfs" is unknown`},
		"nothing_and_say_why_of_each":    {missing, errors.New("no program"), "", "", "kernel: module is missing; fuse: no program"},
		"the_kernel_if_FUSE_is_not_here": {nil, missing, "", "kernel", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := Mounters{Directory: t.TempDir(), Known: []Mounter{
				&double{name: "kernel", available: tc.kernel}, &double{name: "fuse", available: tc.fuse}}}
			made, err := m.Mount(t.Context(), access(), volume(), tc.wanted)
			if made.Mounter != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v", made.Mounter, err)
			}
			if err != nil && (!errors.Is(err, ErrNoMounter) || !strings.Contains(err.Error(), tc.words)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMounters_remember_without_the_key(t *testing.T) {
	t.Parallel()
	kernel := &double{name: "kernel"}
	m := Mounters{Directory: t.TempDir(), Known: []Mounter{kernel}}
	made, err := m.Mount(t.Context(), access(), volume(), "")
	if err != nil {
		t.Fatal(err)
	}
	successor := Mounters{Directory: m.Directory, Known: m.Known}
	list, err := successor.List()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Mount{made}, list); diff != "" || made.Process.PID != 7 {
		t.Errorf("want -, got +:\n%s", diff)
	}
	files, err := filepath.Glob(filepath.Join(m.Directory, "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || strings.Contains(string(text), secret) {
		t.Errorf("record %s, %v", text, err)
	}
	if err := errors.Join(successor.End(t.Context(), "handle"), successor.End(t.Context(), "handle")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Find("handle"); !errors.Is(err, os.ErrNotExist) || len(kernel.ended) != 1 {
		t.Errorf("after the end: %v, ended %v", err, kernel.ended)
	}
}

func TestMounters_remember_what_they_failed_to_mount_anew(t *testing.T) {
	t.Parallel()
	kernel := &double{name: "kernel"}
	m := Mounters{Directory: t.TempDir(), Known: []Mounter{kernel}}
	if _, err := m.Mount(t.Context(), access(), volume(), ""); err != nil {
		t.Fatal(err)
	}
	kernel.fail = errors.New("mount error 110")
	for range 2 {
		if err := m.Await(t.Context(), "handle"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Mount(t.Context(), access(), volume(), ""); !errors.Is(err, kernel.fail) {
			t.Fatalf("got %v", err)
		}
	}
	want := Mount{Volume: volume(), Mounter: "kernel"}
	found, err := m.Find("handle")
	if diff := cmp.Diff(want, found); err != nil || diff != "" || len(kernel.ended) != 2 {
		t.Errorf("waited for %v, %v; want -, got +:\n%s", kernel.ended, err, diff)
	}
	if err := m.Await(t.Context(), "another"); err != nil {
		t.Errorf("of a volume that was never mounted: %v", err)
	}
}

func TestMounters_believe_no_record_of_another_boot(t *testing.T) {
	t.Parallel()
	fuse := &double{name: "fuse"}
	before := Mounters{Directory: t.TempDir(), Boot: "before", Known: []Mounter{fuse}}
	made, err := before.Mount(t.Context(), access(), volume(), "")
	if err != nil || !before.Serves(made) {
		t.Fatalf("serves %t, %v", before.Serves(made), err)
	}
	after := Mounters{Directory: before.Directory, Boot: "after", Known: before.Known}
	if after.Serves(made) {
		t.Error("a process of an earlier boot passes for the volume's")
	}
	if err := after.End(t.Context(), "handle"); err != nil || len(fuse.ended) > 0 {
		t.Errorf("waited for %v of an earlier boot, %v", fuse.ended, err)
	}
	if _, err := after.Find("handle"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("record is left: %v", err)
	}
}
