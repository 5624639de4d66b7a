//go:build integration

package attach

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/loop"
)

func TestExport_detaches_no_device_of_another_volume(t *testing.T) {
	// Direct I/O needs a file system of a disk.
	root, err := os.MkdirTemp("/var/tmp", "export-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	a := Attacher{Directory: root, Backends: []Backend{Export{}}}
	dead, living := a.dir("volume-a"), a.dir("volume-b")
	for _, dir := range []string{dead, living} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(living, exportFile)
	put(t, file, string(make([]byte, 1<<20)))
	index, err := loop.Attach(file, loopName(living), loop.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := loop.Identify(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loop.Detach(index, seen, loopName(living), patience); err != nil {
			t.Errorf("the other volume's device: %v", err)
		}
	})
	// The record of a daemon that died, whose numbers were handed out again.
	record := Attachment{VolumeID: "volume-a", Backend: FUSE, Device: loop.Device(index), Loop: index, File: seen}
	if err := write(dead, record); err != nil {
		t.Fatal(err)
	}
	if err := a.Detach(t.Context(), "volume-a"); err != nil {
		t.Fatal(err)
	}
	if serves, err := loop.Serves(index, seen, loopName(living)); err != nil || !serves {
		t.Errorf("volume-b has its device: %t, %v", serves, err)
	}
}
