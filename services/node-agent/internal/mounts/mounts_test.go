package mounts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/mounts"
)

func TestDead_knows_what_a_mount_without_a_client_says(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]bool{
		syscall.ENOTCONN: true, syscall.ECONNABORTED: true, syscall.ESTALE: true,
		syscall.EACCES: true, syscall.ESHUTDOWN: true, syscall.EIO: true, syscall.ENOENT: false, syscall.ENOSPC: false,
	} {
		err := error(&os.PathError{Op: "stat", Path: "/staging", Err: errno})
		if got := mounts.Dead(err); got != want {
			t.Errorf("%v: got %v", errno, got)
		}
		if got := mounts.Dead(fmt.Errorf("measure volume: %w", err)); got != want {
			t.Errorf("wrapped %v: got %v", errno, got)
		}
	}
}

func TestServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, absent, bad := filepath.Join(dir, "good"), filepath.Join(dir, "absent"), filepath.Join(dir, "bad")
	for _, path := range []string{good, bad} {
		if err := os.Mkdir(path, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	fake := mount.NewFakeMounter([]mount.MountPoint{{Path: good}, {Path: bad}})
	fake.MountCheckErrors = map[string]error{bad: fmt.Errorf("stat: %w", syscall.ECONNABORTED)}
	m := mounts.Mounts{Interface: fake}
	for path, want := range map[string]bool{good: true, absent: false, bad: false} {
		if got, err := m.Serves(path); err != nil || got != want {
			t.Errorf("%s: %v, %v", filepath.Base(path), got, err)
		}
	}
}

func TestKinds_end_with_what_lies_on_top(t *testing.T) {
	t.Parallel()
	m := mounts.Mounts{Interface: mount.NewFakeMounter([]mount.MountPoint{{Path: "/a", Type: "ceph"}, {Path: "/a", Type: "tmpfs"}, {Path: "/b", Type: "ext4"}})}
	for path, want := range map[string][]string{"/a": {"ceph", "tmpfs"}, "/b": {"ext4"}, "/c": nil} {
		if got, err := m.Kinds(path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

func TestOnly_names_the_other_place(t *testing.T) {
	t.Parallel()
	if err := mounts.Only([]string{"/staging", "/pod"}, "/staging", "/pod"); err != nil {
		t.Error(err)
	}
	if err := mounts.Only([]string{"/staging", "/other"}, "/staging", "/pod"); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("got %v", err)
	}
}
