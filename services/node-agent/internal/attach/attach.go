package attach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/loop"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/outlive"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/record"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Volume is what to attach, as whom, and where the cluster is.
type Volume struct {
	// ID is the volume handle.
	ID         string
	Connection api.Connection
	Key        keyring.Key
	Pool       string
	Namespace  string
	Image      string
	ReadOnly   bool
	// ClusterID and Entry say which journal entry names the volume's holder.
	ClusterID, Entry string
	// MapOptions and UnmapOptions are those of the StorageClass, for all mounters;
	// see Ignored.
	MapOptions, UnmapOptions string
}

// Attachment is the record of one attached volume.
type Attachment struct {
	VolumeID string `json:"volumeID"`
	// Boot is the boot of the node that the volume was attached in. Everything below
	// that the kernel numbers means something else in another one.
	Boot string `json:"boot,omitempty"`
	// ClusterID and Entry lead to the journal entry that names this node as holder.
	ClusterID string `json:"clusterID,omitempty"`
	Entry     string `json:"entry,omitempty"`
	Backend   string `json:"backend"`
	Pool      string `json:"pool"`
	// Namespace is the RADOS namespace.
	Namespace string `json:"namespace,omitempty"`
	Image     string `json:"image"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
	// UnmapOptions are those of the StorageClass, for all mounters.
	UnmapOptions string `json:"unmapOptions,omitempty"`
	// Device is the block device, empty until it is there.
	Device string `json:"device,omitempty"`
	// Address is the client's address in Ceph if the backend knows it.
	Address string `json:"address,omitempty"`
	// Loop and File are the loop device of the user-space backend.
	Loop int       `json:"loop,omitempty"`
	File loop.File `json:"file,omitzero"`
	// Process serves the user-space backend.
	Process outlive.Process `json:"process,omitzero"`
	// KernelID is the number of the kernel's device.
	KernelID string `json:"kernelID,omitempty"`
}

// Backend is one way to attach images.
type Backend interface {
	// Name is how a StorageClass's mounter parameter calls it.
	Name() string
	// Available tells why this node cannot use it; nil if it can.
	Available() error
	// Attach makes the device. record holds what is to be attached and is
	// completed; dir is the volume's own directory. save keeps an unfinished
	// record before a step that would be lost otherwise.
	Attach(ctx context.Context, dir string, volume Volume, record *Attachment, save func() error) error
	// Healthy tells whether the device of a complete record still serves.
	Healthy(dir string, record Attachment) bool
	// Grow shows the size that the image has grown to. The caller keeps others from
	// changing it meanwhile.
	Grow(ctx context.Context, dir string, record Attachment, size uint64) error
	// Detach takes away whatever the record, complete or not, left behind.
	Detach(ctx context.Context, dir string, record Attachment) error
}

// ErrSmall is returned for a device that does not show all of its image.
var ErrSmall = errors.New("device does not show the whole image")

// ErrNoBackend is returned when the node can attach in no way that is allowed.
var ErrNoBackend = errors.New("no way to attach RBD images on this node")

// Attacher attaches volumes. It is safe for concurrent use on different
// volumes; callers serialise calls on the same one.
type Attacher struct {
	// Directory holds one directory per attached volume.
	Directory string
	// Boot is the running boot; see record.Boot.
	Boot string
	// Backends in order of preference.
	Backends []Backend
}

// Attach returns the device of the volume and makes it if need be. Preference
// names a backend, or is empty; fallback allows others too.
func (a Attacher) Attach(ctx context.Context, volume Volume, choice Choice) (Attachment, error) {
	record, serves, err := a.reuse(ctx, volume)
	if err != nil || serves {
		return record, err
	}
	backend, err := choose(a.Backends, choice)
	if err != nil {
		return Attachment{}, err
	}
	dir := a.dir(volume.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Attachment{}, fmt.Errorf("make directory of volume: %w", err)
	}
	record = Attachment{
		VolumeID: volume.ID, Boot: a.Boot, ClusterID: volume.ClusterID, Entry: volume.Entry, Backend: backend.Name(),
		Pool: volume.Pool, Namespace: volume.Namespace, Image: volume.Image, ReadOnly: volume.ReadOnly, UnmapOptions: volume.UnmapOptions,
	}
	save := func() error { return write(dir, record) }
	if err := save(); err != nil {
		return Attachment{}, err
	}
	err = backend.Attach(ctx, dir, volume, &record, save)
	if err == nil {
		err = save()
	}
	if err == nil {
		return record, nil
	}
	if cleanup := a.Detach(context.WithoutCancel(ctx), volume.ID); cleanup != nil {
		err = errors.Join(err, cleanup)
	}
	return Attachment{}, fmt.Errorf("attach %s/%s by %s: %w", volume.Pool, volume.Image, backend.Name(), err)
}

// reuse returns the attachment that serves the volume already, and removes one
// that does not serve it.
func (a Attacher) reuse(ctx context.Context, volume Volume) (Attachment, bool, error) {
	record, err := a.Find(volume.ID)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Attachment{}, false, nil
	case err != nil:
		return Attachment{}, false, err
	case a.Serves(record) && record.Image == volume.Image && record.Pool == volume.Pool:
		return record, true, nil
	}
	if err := a.Detach(ctx, volume.ID); err != nil {
		return Attachment{}, false, fmt.Errorf("remove broken attachment: %w", err)
	}
	return Attachment{}, false, nil
}

// Detach takes the device of a volume away; it is no error if there is none. What a
// record of another boot names is gone or belongs to others: only the record is removed.
func (a Attacher) Detach(ctx context.Context, volumeID string) error {
	record, err := a.Find(volumeID)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	dir := a.dir(volumeID)
	if a.booted(record) {
		backend, err := a.backend(record.Backend)
		if err != nil {
			return err
		}
		if err := backend.Detach(ctx, dir, record); err != nil {
			return fmt.Errorf("detach %s/%s from %s: %w", record.Pool, record.Image, record.Device, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove directory of volume: %w", err)
	}
	return nil
}

// Grow makes the device that serves a record as large as its image, which is as large as
// size. The caller keeps others from changing that meanwhile.
func (a Attacher) Grow(ctx context.Context, record Attachment, size uint64) error {
	backend, err := a.backend(record.Backend)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		err := backend.Grow(ctx, a.dir(record.VolumeID), record, size)
		if err == nil {
			err = shows(record.Device, size)
		}
		if err == nil {
			return nil
		}
		err = fmt.Errorf("grow %s: %w", record.Device, err)
		if !errors.Is(err, ErrSmall) {
			return err
		}
		// A loop device may have asked for the size of its file just before the kernel
		// believed the new one.
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// shows refuses a device that is smaller than its image.
func shows(path string, size uint64) error {
	device, err := os.Open(path)
	if err != nil {
		return err
	}
	defer device.Close()
	shown, err := device.Seek(0, io.SeekEnd)
	if err == nil && uint64(shown) < size {
		err = fmt.Errorf("%w: %d of %d bytes", ErrSmall, shown, size)
	}
	return err
}

// Find returns the record of a volume, os.ErrNotExist if there is none.
func (a Attacher) Find(volumeID string) (Attachment, error) {
	return record.Read[Attachment](a.dir(volumeID))
}

// Serves tells whether the device of a record is there and works.
func (a Attacher) Serves(record Attachment) bool {
	backend, err := a.backend(record.Backend)
	return err == nil && record.Device != "" && a.booted(record) && backend.Healthy(a.dir(record.VolumeID), record)
}

// booted tells whether a record was written in the running boot. One that does not
// say is taken for such: backends compare names as well as numbers.
func (a Attacher) booted(record Attachment) bool { return record.Boot == "" || record.Boot == a.Boot }

// List returns the records of all volumes that were attached here, also those
// of a predecessor. Those that can be read come beside an error about the others.
func (a Attacher) List() ([]Attachment, error) { return record.List[Attachment](a.Directory) }

func (a Attacher) dir(volumeID string) string { return record.Dir(a.Directory, volumeID) }

func (a Attacher) backend(name string) (Backend, error) {
	for _, backend := range a.Backends {
		if backend.Name() == name {
			return backend, nil
		}
	}
	return nil, fmt.Errorf("%w: unknown backend %q", ErrNoBackend, name)
}

func write(dir string, attachment Attachment) error { return record.Write(dir, attachment) }
