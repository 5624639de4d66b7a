// Package mounts is what both node services do with mounts: look, bind, and
// clean up. It knows nothing about Ceph, and a mount that does not answer counts as none.
package mounts

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"
)

// Mounts works on the mounts of this node.
type Mounts struct{ mount.Interface }

// Serves tells whether something is mounted at path and answers.
func (m Mounts) Serves(path string) (bool, error) {
	mounted, err := m.IsMountPoint(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil && !Dead(err) {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	return mounted && err == nil, nil
}

// Kinds are the types of the file systems that are mounted at path, that on top last. It
// does not touch them.
func (m Mounts) Kinds(path string) ([]string, error) {
	all, err := m.List()
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var kinds []string
	for _, one := range all {
		if one.Path == path {
			kinds = append(kinds, one.Type)
		}
	}
	return kinds, nil
}

// Dead tells whether an error, however wrapped, says that a mount is there and nobody
// serves it. A kernel client that was fenced denies access, even to root.
func Dead(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return mount.IsCorruptedMnt(err)
	}
	return mount.IsCorruptedMnt(errno) || errno == syscall.ECONNABORTED || errno == syscall.ESHUTDOWN
}

// Bind shows source at a path where nothing is mounted yet; with the flag ro,
// it is read-only there.
func (m Mounts) Bind(source, where string, flags ...string) error {
	options := []string{"bind"}
	for _, flag := range flags {
		if !slices.Contains(options, flag) {
			options = append(options, flag)
		}
	}
	if err := m.Mount(source, where, "", options); err != nil {
		return fmt.Errorf("publish volume: %w", err)
	}
	return nil
}

// OnlyAt refuses when the source is mounted anywhere else but at where.
func (m Mounts) OnlyAt(source, where string) error {
	refs, err := m.GetMountRefs(source)
	if err != nil {
		return fmt.Errorf("find mounts of %s: %w", source, err)
	}
	return Only(refs, source, where)
}

// Only refuses a path in refs that is neither source nor where.
func Only(refs []string, source, where string) error {
	for _, ref := range refs {
		if ref != where && ref != source {
			return status.Errorf(codes.FailedPrecondition, "volume is published at %s and may have one user only", ref)
		}
	}
	return nil
}

// Clear unmounts path, dead or alive, and removes the mount point.
func (m Mounts) Clear(path string) error {
	return mount.CleanupMountPoint(path, m.Interface, true)
}
