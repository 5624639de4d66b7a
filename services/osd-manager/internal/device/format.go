package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Mkfs makes BlueStore with ceph-osd --mkfs.
type Mkfs struct {
	// Program is ceph-osd.
	Program string
	// Dir is where the short-lived data directory is made.
	Dir string
	// Keyfile holds the OSD's key; it goes into the label, so that the disk
	// alone is enough to start the OSD elsewhere.
	Keyfile string
	// Args are added to the command line.
	Args []string
	// Log receives what ceph-osd prints.
	Log io.Writer
}

// tailBytes is how much of ceph-osd's last words an error repeats.
const tailBytes = 400

// Format implements Formatter.
func (m Mkfs) Format(ctx context.Context, device string, osd Identity) (err error) {
	data, err := os.MkdirTemp(m.Dir, "mkfs-")
	if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	if err := os.Symlink(device, filepath.Join(data, "block")); err != nil {
		return fmt.Errorf("link %s: %w", device, err)
	}
	args := append([]string{
		"--mkfs", "--id=" + strconv.Itoa(osd.ID), "--osd-uuid=" + osd.UUID, "--fsid=" + osd.FSID,
		"--osd-data=" + data, "--osd-objectstore=bluestore", "--keyfile=" + m.Keyfile,
	}, m.Args...)
	cmd := exec.CommandContext(ctx, m.Program, args...)
	var tail tailWriter
	cmd.Stdout = io.MultiWriter(m.Log, &tail)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run ceph-osd --mkfs on %s: %w: %s", device, err, tail.line())
	}
	return nil
}

// tailWriter keeps the end of what is written to it.
type tailWriter struct{ buf []byte }

func (t *tailWriter) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if extra := len(t.buf) - tailBytes; extra > 0 {
		t.buf = t.buf[extra:]
	}
	return len(p), nil
}

// line returns the last line that says something.
func (t *tailWriter) line() string {
	lines := bytes.Split(bytes.TrimSpace(t.buf), []byte("\n"))
	return strings.TrimSpace(string(lines[len(lines)-1]))
}
