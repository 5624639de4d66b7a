package attach

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/module"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/reach"
)

// errNoDevice is returned when the kernel took an image and shows no device.
var errNoDevice = errors.New("kernel shows no device")

// Krbd attaches images by the kernel's RBD client through sysfs, without the
// rbd program or udevd. Each image gets a client of its own, so that fencing
// one volume leaves the others alone.
type Krbd struct {
	// Sys is where sysfs is mounted.
	Sys string
	// Modules allows loading the module.
	Modules module.Policy
	// Refused tells whether a device cannot be read, because its client was fenced; see
	// Refusals. Nil asks no device.
	Refused func(device string) bool
}

var _ Backend = Krbd{}

// Name returns Kernel.
func (Krbd) Name() string { return Kernel }

func (k Krbd) bus(parts ...string) string {
	return filepath.Join(append([]string{k.Sys, "bus", "rbd"}, parts...)...)
}

// Available looks for the kernel's client and loads it if allowed.
func (k Krbd) Available() error {
	look := func() error {
		_, err := os.Stat(k.bus())
		return err
	}
	return k.Modules.Ensure(look, "rbd", "single_major=Y")
}

// Attach adds the image to the kernel's bus and finds its device.
func (k Krbd) Attach(ctx context.Context, _ string, volume Volume, record *Attachment, save func() error) error {
	if err := os.WriteFile(k.control("add"), []byte(addOrder(volume)), 0); err != nil {
		return fmt.Errorf("add image to the kernel: %w", err)
	}
	id, err := k.find(volume.Pool, volume.Namespace, volume.Image)
	if err != nil {
		return err
	}
	record.KernelID = id
	record.Address = k.attribute(id, "client_addr")
	if err := save(); err != nil {
		return err
	}
	device := "/dev/rbd" + id
	if err := awaitPath(ctx, device); err != nil {
		return err
	}
	record.Device = device
	return nil
}

// control prefers the interface that shares one major number.
func (k Krbd) control(verb string) string {
	single := k.bus(verb + "_single_major")
	if _, err := os.Stat(single); err == nil {
		return single
	}
	return k.bus(verb)
}

// addOrder is what the kernel reads: monitors, options, pool, image, snapshot.
// It holds the key, and so must never be logged.
func addOrder(volume Volume) string {
	opts := []string{
		"name=" + strings.TrimPrefix(volume.Key.Entity, "client."), "secret=" + volume.Key.Secret, "noshare",
	}
	monitors, v2 := reach.Monitors(volume.Connection)
	if v2 {
		opts = append(opts, "ms_mode=prefer-crc")
	}
	if volume.ReadOnly {
		opts = append(opts, "ro")
	}
	if volume.Namespace != "" {
		opts = append(opts, "_pool_ns="+volume.Namespace)
	}
	wanted, _ := optionsFor(Kernel, volume.MapOptions, mapReserved)
	opts = append(opts, wanted...)
	return strings.Join([]string{strings.Join(monitors, ","), strings.Join(opts, ","), volume.Pool, volume.Image, "-"}, " ")
}

// find returns the newest device of the image.
func (k Krbd) find(pool, namespace, image string) (string, error) {
	entries, err := os.ReadDir(k.bus("devices"))
	if err != nil {
		return "", fmt.Errorf("list kernel devices: %w", err)
	}
	var found []string
	for _, entry := range entries {
		id := entry.Name()
		if k.attribute(id, "pool") == pool && k.attribute(id, "name") == image &&
			k.attribute(id, "pool_ns") == namespace && k.attribute(id, "current_snap") == "-" {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		return "", fmt.Errorf("find %s/%s: %w", pool, image, errNoDevice)
	}
	sort.Slice(found, func(i, j int) bool {
		return len(found[i]) > len(found[j]) || len(found[i]) == len(found[j]) && found[i] > found[j]
	})
	return found[0], nil
}

func (k Krbd) attribute(id, name string) string {
	text, err := os.ReadFile(k.bus("devices", id, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func awaitPath(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		_, err := os.Stat(path)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for device: %w", err)
		case <-tick.C:
		}
	}
}

// Healthy tells whether the kernel's device still is the recorded image and its client
// was not fenced.
func (k Krbd) Healthy(_ string, record Attachment) bool {
	return k.mapped(record) && (k.Refused == nil || !k.Refused(record.Device))
}

// mapped tells whether the kernel's device still is the recorded image.
func (k Krbd) mapped(record Attachment) bool {
	return record.KernelID != "" && k.attribute(record.KernelID, "name") == record.Image &&
		k.attribute(record.KernelID, "pool") == record.Pool && k.attribute(record.KernelID, "pool_ns") == record.Namespace
}

// Grow has the kernel read the size of the image now; it would do so by itself, later.
func (k Krbd) Grow(_ context.Context, _ string, record Attachment, _ uint64) error {
	if err := os.WriteFile(k.bus("devices", record.KernelID, "refresh"), []byte("1"), 0); err != nil {
		return fmt.Errorf("refresh image in the kernel: %w", err)
	}
	return nil
}

// Detach removes the image from the kernel's bus. Without a recorded number it
// removes what an interrupted Attach may have left.
func (k Krbd) Detach(_ context.Context, _ string, record Attachment) error {
	id := record.KernelID
	if id == "" {
		found, err := k.find(record.Pool, record.Namespace, record.Image)
		if errors.Is(err, errNoDevice) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		id = found
	} else if !k.mapped(record) {
		return nil
	}
	order, _ := optionsFor(Kernel, record.UnmapOptions, unmapReserved)
	order = append([]string{id}, slices.Compact(order)...)
	if err := os.WriteFile(k.control("remove"), []byte(strings.Join(order, " ")), 0); err != nil {
		return fmt.Errorf("remove image from the kernel: %w", err)
	}
	return nil
}
