package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

// DefaultRoot is where clusters are kept unless the user says otherwise.
const DefaultRoot = "/var/lib/rook-ceph-local"

// Store is the directory that holds every cluster of this machine.
type Store struct {
	Root string
}

func (s Store) state(name string) string { return filepath.Join(s.Root, name) }

// Lock keeps other runs of localkube out until the returned call or the end of
// the process. Wait is called once when another run has to end first.
func (s Store) Lock(wait func()) (func(), error) {
	if err := os.MkdirAll(s.Root, 0o755); err != nil {
		return nil, fmt.Errorf("create state directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(s.Root, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		wait()
	}
	for errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock state directory: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// Open returns the cluster of that name; it is false when there is none.
func (s Store) Open(name string) (layout.Cluster, bool, error) {
	var cluster layout.Cluster
	file := filepath.Join(s.state(name), "cluster.json")
	content, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return cluster, false, nil
	}
	if err != nil {
		return cluster, false, fmt.Errorf("read cluster %s: %w", name, err)
	}
	if err := json.Unmarshal(content, &cluster); err != nil {
		return cluster, false, fmt.Errorf("read cluster %s: %s is damaged: run `localkube down --name %s`: %w", name, file, name, err)
	}
	return cluster, true, nil
}

// List returns every cluster that can be read.
func (s Store) List() ([]layout.Cluster, error) {
	entries, err := os.ReadDir(s.Root)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	var clusters []layout.Cluster
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if cluster, ok, err := s.Open(entry.Name()); err == nil && ok {
			clusters = append(clusters, cluster)
		}
	}
	return clusters, nil
}

// Save keeps the description of a cluster.
func (s Store) Save(cluster layout.Cluster) error {
	content, err := json.MarshalIndent(cluster, "", "  ")
	if err != nil {
		return fmt.Errorf("encode cluster %s: %w", cluster.Name, err)
	}
	if err := os.MkdirAll(cluster.State, 0o755); err != nil {
		return fmt.Errorf("create cluster %s: %w", cluster.Name, err)
	}
	temporary := cluster.File() + ".new"
	if err := os.WriteFile(temporary, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write cluster %s: %w", cluster.Name, err)
	}
	if err := os.Rename(temporary, cluster.File()); err != nil {
		return fmt.Errorf("write cluster %s: %w", cluster.Name, err)
	}
	return nil
}

// FreeSlot returns the lowest slot that no other cluster of the store has and
// no cluster of another store. Owners are the state directories of the clusters
// that run on this host, by slot.
func FreeSlot(clusters []layout.Cluster, owners map[int]string, state string) int {
	taken := map[int]bool{}
	for _, cluster := range clusters {
		taken[cluster.Slot] = true
	}
	for slot, owner := range owners {
		if owner == state {
			return slot
		}
		taken[slot] = true
	}
	slot := 0
	for taken[slot] {
		slot++
	}
	return slot
}
