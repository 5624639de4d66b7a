//go:build integration

package filesystem_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/loop"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// device is a blank loop device of 512 MiB.
func device(t *testing.T) string {
	t.Helper()
	// Direct I/O needs a file system of a disk.
	dir, err := os.MkdirTemp("/var/tmp", "mkfs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "image")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 512<<20)); err != nil {
		t.Fatal(err)
	}
	index, err := loop.Attach(file, t.Name(), loop.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	own, err := loop.Identify(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loop.Detach(index, own, t.Name(), 10*time.Second); err != nil {
			t.Error(err)
		}
	})
	return loop.Device(index)
}

func TestInterruptedMkfs(t *testing.T) {
	for kind, last := range map[string]struct {
		// offset and bytes are as they are before the last write of mkfs.
		offset int64
		bytes  []byte
	}{
		"ext4": {1024, make([]byte, 1024)},
		"xfs":  {126, []byte{1}},
	} {
		t.Run(kind, func(t *testing.T) {
			path, tools := device(t), filesystem.Tools{}
			begun := journal.Format{State: journal.Formatting, Type: kind}
			expect := func(what string, want filesystem.Action) {
				t.Helper()
				found, err := tools.Look(path)
				if err != nil {
					t.Fatal(err)
				}
				action, got, err := filesystem.Decide(begun, found, kind)
				if err != nil || action != want || got != kind {
					t.Errorf("%s: want %v %s, got %v %q, %v", what, want, kind, action, got, err)
				}
			}
			expect("before mkfs", filesystem.Make)
			if err := tools.Format(t.Context(), path, kind, ""); err != nil {
				t.Fatal(err)
			}
			expect("after mkfs", filesystem.Mount)
			disk, err := os.OpenFile(path, os.O_WRONLY|os.O_SYNC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := disk.WriteAt(last.bytes, last.offset); err != nil {
				t.Fatal(err)
			}
			if err := disk.Close(); err != nil {
				t.Fatal(err)
			}
			expect("before the last write of mkfs", filesystem.Make)
			if err := tools.Format(t.Context(), path, kind, ""); err != nil {
				t.Fatal(err)
			}
			expect("after mkfs was begun again", filesystem.Mount)
		})
	}
}
