package device

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// Activation is one OSD that is to be started.
type Activation struct {
	Machine Machine
	OSD     Identity
	// StableID is where the disk is looked for first; it may be outdated.
	StableID string
	// DataDir becomes the OSD's data directory.
	DataDir string
	// DeviceClass is what the OSD reports as its class at its first start.
	DeviceClass string
	// UID and GID are those of the ceph user, which has to open the disk.
	UID, GID int
}

// Activate finds the disk by its label and makes the data directory point at
// it. It returns the device. It never writes to the disk; whether another
// process uses it is for ceph-osd to find out, which opens it exclusively.
func Activate(ctx context.Context, a Activation) (string, error) {
	facts, err := a.find(ctx)
	if err != nil {
		return "", err
	}
	device := a.Machine.Dev.Path(facts)
	if err := os.MkdirAll(a.DataDir, 0o750); err != nil {
		return "", fmt.Errorf("make data directory: %w", err)
	}
	if err := replaceLink(device, filepath.Join(a.DataDir, "block")); err != nil {
		return "", err
	}
	if err := a.writeFiles(); err != nil {
		return "", err
	}
	if err := os.Chown(device, a.UID, a.GID); err != nil {
		return "", fmt.Errorf("give device to ceph: %w", err)
	}
	return device, nil
}

// find looks at the disk that should be it, then at all others.
func (a Activation) find(ctx context.Context) (disk.Facts, error) {
	all, err := a.Machine.facts()
	if err != nil {
		return disk.Facts{}, err
	}
	first := slices.IndexFunc(all, func(f disk.Facts) bool { return f.StableID() == a.StableID })
	if first >= 0 {
		found, err := a.Machine.look(ctx, all[first].KernelName)
		if err == nil && a.usable(found) == nil {
			return found.Facts, nil
		}
	}
	disks, err := a.Machine.Scanner.All(ctx)
	if err != nil {
		return disk.Facts{}, err
	}
	var matching []disk.Facts
	var problems []error
	for _, found := range disks {
		switch err := a.usable(found); {
		case err == nil:
			matching = append(matching, found.Facts)
		case !errors.Is(err, errMissing):
			problems = append(problems, err)
		}
	}
	switch {
	case len(matching) == 1:
		return matching[0], nil
	case len(matching) > 1:
		return disk.Facts{}, fmt.Errorf("%s and %s both hold %s: one is a copy of the other, or another path to it; take one away",
			matching[0].KernelName, matching[1].KernelName, a.OSD)
	case len(problems) > 0:
		return disk.Facts{}, errors.Join(problems...)
	}
	return disk.Facts{}, fmt.Errorf("%w: no disk of this node holds %s of cluster %s", errMissing, a.OSD, a.OSD.FSID)
}

// usable tells whether the disk is the OSD's, and finished.
func (a Activation) usable(found scan.Disk) error {
	label, ok := found.Label()
	switch {
	case !ok || label.OSDUUID != a.OSD.UUID || label.Description != "main":
		return errMissing
	case !a.OSD.Owns(found):
		return fmt.Errorf("%s has the uuid of %s, but another cluster or id: %s", found.Facts.KernelName, a.OSD, found.Verdict.Message)
	case !label.Ready():
		return fmt.Errorf("%s holds %s, but its preparation did not end", found.Facts.KernelName, a.OSD)
	}
	return nil
}

// writeFiles makes the small files that ceph-osd reads before it opens the
// store. None of them is secret: the key comes from the keyring file.
func (a Activation) writeFiles() error {
	files := map[string]string{
		"type":      "bluestore",
		"fsid":      a.OSD.UUID,
		"ceph_fsid": a.OSD.FSID,
		"whoami":    strconv.Itoa(a.OSD.ID),
		"ready":     "ready",
	}
	if a.DeviceClass != "" {
		files["crush_device_class"] = a.DeviceClass
	}
	for name, content := range files {
		path := filepath.Join(a.DataDir, name)
		if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
			return fmt.Errorf("write data directory: %w", err)
		}
		if err := os.Chown(path, a.UID, a.GID); err != nil {
			return fmt.Errorf("give %s to ceph: %w", name, err)
		}
	}
	if err := os.Chown(a.DataDir, a.UID, a.GID); err != nil {
		return fmt.Errorf("give data directory to ceph: %w", err)
	}
	return nil
}

// replaceLink makes link point at target, at once: a reader sees the old or
// the new one. A link that is right already is left alone.
func replaceLink(target, link string) error {
	if old, err := os.Readlink(link); err == nil && old == target {
		return nil
	}
	temp := link + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace %s: %w", link, err)
	}
	if err := os.Symlink(target, temp); err != nil {
		return fmt.Errorf("link %s: %w", target, err)
	}
	if err := os.Rename(temp, link); err != nil {
		return fmt.Errorf("replace %s: %w", link, err)
	}
	return nil
}
