package fsmount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/outlive"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/record"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Volume is what to mount where, and how.
type Volume struct {
	// ID is the volume handle.
	ID string `json:"volumeID"`
	// Where is the mount point.
	Where string `json:"where"`
	// FSName is the file system, and Path the directory in it.
	FSName string `json:"fsName"`
	Path   string `json:"path"`
	// Root is the directory below Path that users see; empty is all of it.
	Root     string `json:"root,omitempty"`
	ReadOnly bool   `json:"readOnly,omitempty"`
	// KernelOptions and FUSEOptions are for one client, Flags, the mount options of the
	// PersistentVolume, for either. Of options that exclude one another the last holds,
	// and Flags come last.
	KernelOptions string   `json:"kernelOptions,omitempty"`
	FUSEOptions   string   `json:"fuseOptions,omitempty"`
	Flags         []string `json:"flags,omitempty"`
}

// Access is how to reach the cluster, and as whom. It is never recorded.
type Access struct {
	Connection api.Connection
	Key        keyring.Key
}

// Mount is the record of one mounted volume.
type Mount struct {
	Volume
	// Boot is the boot of the node that the volume was mounted in. A process of another
	// one is not ours, whatever its number.
	Boot string `json:"boot,omitempty"`
	// Mounter is the way that was chosen.
	Mounter string `json:"mounter"`
	// Process serves a user-space mount.
	Process outlive.Process `json:"process,omitzero"`
}

// Mounter is one way to mount CephFS.
type Mounter interface {
	// Name is how a StorageClass's mounter parameter calls it.
	Name() string
	// Available tells why this node cannot use it; nil if it can.
	Available() error
	// Mount mounts the volume; dir is the volume's own directory. The record
	// is completed.
	Mount(ctx context.Context, dir string, access Access, record *Mount) error
	// Serves tells whether what serves the mount is there.
	Serves(record Mount) bool
	// End waits until all is written after the mount point was unmounted.
	End(ctx context.Context, dir string, record Mount) error
}

// ErrNoMounter is returned when the node can mount in no way that is allowed.
var ErrNoMounter = errors.New("no way to mount CephFS on this node")

// Mounters mounts volumes and remembers them. It is safe for concurrent use on
// different volumes; callers serialise calls on the same one.
type Mounters struct {
	// Directory holds one directory per mounted volume.
	Directory string
	// Boot is the running boot; see record.Boot.
	Boot string
	// Known are the mounters in order of preference.
	Known []Mounter
}

// Mount mounts a volume where nothing is mounted. Wanted names a mounter, or is
// empty: the best that the node has.
func (m Mounters) Mount(ctx context.Context, access Access, volume Volume, wanted string) (Mount, error) {
	mounter, err := m.choose(wanted)
	if err != nil {
		return Mount{}, err
	}
	dir := m.dir(volume.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Mount{}, fmt.Errorf("make directory of volume: %w", err)
	}
	made := Mount{Volume: volume, Boot: m.Boot, Mounter: mounter.Name()}
	if err := record.Write(dir, made); err != nil {
		return Mount{}, err
	}
	if err := mounter.Mount(ctx, dir, access, &made); err != nil {
		return Mount{}, fmt.Errorf("mount %s of file system %s by %s: %w", volume.Path, volume.FSName, mounter.Name(), err)
	}
	return made, record.Write(dir, made)
}

// Find returns the record of a volume, os.ErrNotExist if there is none.
func (m Mounters) Find(volumeID string) (Mount, error) { return record.Read[Mount](m.dir(volumeID)) }

// List returns the records of all volumes that were mounted here. Those that can be
// read come beside an error about the others.
func (m Mounters) List() ([]Mount, error) { return record.List[Mount](m.Directory) }

// Serves tells whether what serves a mount is there.
func (m Mounters) Serves(made Mount) bool {
	mounter := m.named(made.Mounter)
	return mounter != nil && m.booted(made) && mounter.Serves(made)
}

// booted tells whether a record was written in the running boot. One that does not say
// is taken for such.
func (m Mounters) booted(made Mount) bool { return made.Boot == "" || made.Boot == m.Boot }

// Await waits until all of a volume is written whose mount point was unmounted, and
// keeps its record. It is no error if there is none. Nothing is left to wait for of what
// was mounted in another boot.
func (m Mounters) Await(ctx context.Context, volumeID string) error {
	made, err := m.Find(volumeID)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if mounter := m.named(made.Mounter); mounter != nil && m.booted(made) {
		if err := mounter.End(ctx, m.dir(volumeID), made); err != nil {
			return fmt.Errorf("unmount %s of file system %s: %w", made.Path, made.FSName, err)
		}
	}
	return nil
}

// End forgets a volume after what Await waits for.
func (m Mounters) End(ctx context.Context, volumeID string) error {
	if err := m.Await(ctx, volumeID); err != nil {
		return err
	}
	if err := os.RemoveAll(m.dir(volumeID)); err != nil {
		return fmt.Errorf("remove directory of volume: %w", err)
	}
	return nil
}

func (m Mounters) dir(volumeID string) string { return record.Dir(m.Directory, volumeID) }

func (m Mounters) named(name string) Mounter {
	for _, mounter := range m.Known {
		if mounter.Name() == name {
			return mounter
		}
	}
	return nil
}

// choose returns the wanted mounter, or the first that is available. Its error
// says why each of the others is not.
func (m Mounters) choose(wanted string) (Mounter, error) {
	candidates := m.Known
	if wanted != "" {
		mounter := m.named(wanted)
		if mounter == nil {
			return nil, fmt.Errorf("%w: mounter %q is unknown", ErrNoMounter, wanted)
		}
		candidates = []Mounter{mounter}
	}
	var reasons []string
	for _, mounter := range candidates {
		err := mounter.Available()
		if err == nil {
			return mounter, nil
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", mounter.Name(), err))
	}
	return nil, fmt.Errorf("%w: %s", ErrNoMounter, strings.Join(reasons, "; "))
}

// split reads a list of mount options.
func split(options string) []string {
	var list []string
	for _, option := range strings.Split(options, ",") {
		if option = strings.TrimSpace(option); option != "" {
			list = append(list, option)
		}
	}
	return list
}
