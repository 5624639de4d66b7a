package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// deletedSuffix is what the kernel appends to the name of a deleted backing file.
const deletedSuffix = " (deleted)"

// sectorUnit is the unit of every size in sysfs, whatever the sector size.
const sectorUnit = 512

// Host is where the kernel's view of a node is found. The zero value is of no
// use; Local names the usual places.
type Host struct {
	// Sys is the mount point of sysfs.
	Sys string
	// Proc is the mount point of procfs in the host's pid namespace.
	Proc string
}

// Local returns the places on the running machine.
func Local() Host { return Host{Sys: "/sys", Proc: "/proc"} }

// Names lists every whole block device by kernel name, sorted.
func (h Host) Names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(h.Sys, "block"))
	if err != nil {
		return nil, fmt.Errorf("list block devices: %w", err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names, nil
}

// Usage reads which devices are mounted or swapped on. It is read once per
// scan and passed to Facts.
func (h Host) Usage() (Usage, error) { return readUsage(h) }

// Facts reads what is known about one whole device. It returns an error that
// wraps fs.ErrNotExist when the device has gone.
func (h Host) Facts(name string, usage Usage) (Facts, error) {
	dir := filepath.Join(h.Sys, "block", name)
	if name == "" || name != path.Base(name) {
		return Facts{}, fmt.Errorf("read facts of %q: %w", name, fs.ErrInvalid)
	}
	major, minor, err := deviceNumbers(dir)
	if err != nil {
		return Facts{}, fmt.Errorf("read facts of %s: %w", name, err)
	}
	facts := Facts{
		KernelName:     name,
		Major:          major,
		Minor:          minor,
		SizeBytes:      number(dir, "size") * sectorUnit,
		LogicalSector:  int(number(dir, "queue/logical_block_size")),
		PhysicalSector: int(number(dir, "queue/physical_block_size")),
		Rotational:     flag(dir, "queue/rotational"),
		ReadOnly:       flag(dir, "ro"),
		Removable:      flag(dir, "removable"),
		BackingFile:    text(dir, "loop/backing_file"),
		MapperUUID:     text(dir, "dm/uuid"),
		Model:          text(dir, "device/model"),
		Vendor:         text(dir, "device/vendor"),
		Serial:         serial(dir),
		WWN:            wwn(dir),
		Location:       location(h.Sys, dir),
		Holders:        h.holders(dir),
		Mounts:         usage.mounts(h, name, major, minor),
		Swap:           usage.swap(name),
	}
	facts.BackingFUSE = usage.onFuse(strings.TrimSuffix(facts.BackingFile, deletedSuffix))
	facts.Kind = classify(name, exists(dir, "device"), flag(dir, "hidden"), facts.MapperUUID)
	facts.Partitions, err = h.partitions(dir, usage)
	if err != nil {
		return Facts{}, fmt.Errorf("read partitions of %s: %w", name, err)
	}
	return facts, nil
}

func (h Host) partitions(dir string, usage Usage) ([]Partition, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []Partition
	for _, entry := range entries {
		sub := filepath.Join(dir, entry.Name())
		if !entry.IsDir() || !exists(sub, "partition") {
			continue
		}
		major, minor, err := deviceNumbers(sub)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, Partition{
			KernelName: entry.Name(),
			Number:     int(number(sub, "partition")),
			StartBytes: number(sub, "start") * sectorUnit,
			SizeBytes:  number(sub, "size") * sectorUnit,
			Label:      variable(sub, "PARTNAME"),
			UUID:       variable(sub, "PARTUUID"),
			Holders:    h.holders(sub),
			Mounts:     usage.mounts(h, entry.Name(), major, minor),
			Swap:       usage.swap(entry.Name()),
		})
	}
	slices.SortFunc(found, func(a, b Partition) int { return a.Number - b.Number })
	return found, nil
}

// Slaves returns the whole disks that a stacked device is built on. It is empty
// once the device has gone.
func (h Host) Slaves(name string) []string {
	dir := filepath.Join(h.Sys, "block", filepath.Base(name), "slaves")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var whole []string
	for _, entry := range entries {
		real, err := filepath.EvalSymlinks(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue
		}
		if exists(real, "partition") {
			real = filepath.Dir(real)
		}
		whole = append(whole, filepath.Base(real))
	}
	return whole
}

func (h Host) holders(dir string) []Holder {
	entries, err := os.ReadDir(filepath.Join(dir, "holders"))
	if err != nil {
		return nil
	}
	var found []Holder
	for _, entry := range entries {
		mapper := filepath.Join(h.Sys, "block", entry.Name(), "dm")
		found = append(found, Holder{KernelName: entry.Name(), Name: text(mapper, "name"), UUID: text(mapper, "uuid")})
	}
	return found
}

// deviceNumbers reads the dev file. Its absence means that the device is gone.
func deviceNumbers(dir string) (major, minor uint32, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, "dev"))
	if err != nil {
		return 0, 0, err
	}
	before, after, ok := strings.Cut(strings.TrimSpace(string(raw)), ":")
	first, errMajor := strconv.ParseUint(before, 10, 32)
	second, errMinor := strconv.ParseUint(after, 10, 32)
	if !ok || errMajor != nil || errMinor != nil {
		return 0, 0, fmt.Errorf("parse device number %q: %w", strings.TrimSpace(string(raw)), fs.ErrInvalid)
	}
	return uint32(first), uint32(second), nil
}

func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

// text reads a one-line attribute; "" when it is missing or unreadable, which
// for optional attributes means the same.
func text(dir, name string) string {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return clean(string(raw))
}

// variable reads one line of the uevent file.
func variable(dir, key string) string {
	raw, err := os.ReadFile(filepath.Join(dir, "uevent"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, key+"="); ok {
			return clean(value)
		}
	}
	return ""
}

// clean makes text from hardware safe for an API object: printable ASCII, single spaces.
func clean(raw string) string {
	raw = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, raw)
	return strings.Join(strings.Fields(raw), " ")
}

func number(dir, name string) int64 {
	value, err := strconv.ParseInt(text(dir, name), 10, 64)
	if err != nil || value < 0 || value > 1<<53 {
		return 0
	}
	return value
}

func flag(dir, name string) bool { return number(dir, name) != 0 }

func wwn(dir string) string {
	for _, name := range []string{"wwid", "device/wwid"} {
		if id := text(dir, name); id != "" {
			return strings.ReplaceAll(id, " ", "_")
		}
	}
	return ""
}

// serial reads the serial number from wherever the driver keeps it: NVMe and
// MMC beside the device, virtio beside the disk, SCSI in vital product data
// page 80, whose first four bytes are a header.
func serial(dir string) string {
	for _, name := range []string{"device/serial", "serial", "device/cid"} {
		if id := text(dir, name); id != "" {
			return strings.ReplaceAll(id, " ", "_")
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "device/vpd_pg80"))
	if err != nil || len(page) <= 4 {
		return ""
	}
	return strings.ReplaceAll(clean(string(page[4:])), " ", "_")
}

// location resolves the device's parent to its place in the device tree.
func location(sys, dir string) string {
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil {
		return ""
	}
	root, err := filepath.EvalSymlinks(sys)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimPrefix(real, root), "/devices/")
}
