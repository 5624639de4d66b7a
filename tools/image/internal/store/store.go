package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// keyLength is the number of hex digits of a key: short enough for a path,
// long enough to tell all recipes that one machine will ever see apart.
const keyLength = 16

// lockPoll is how often a waiting process asks for the lock again.
const lockPoll = 200 * time.Millisecond

// Store is a directory of finished results.
type Store struct {
	// Dir is the root directory. It is created on first use.
	Dir string
}

// Default returns the machine-wide store: below XDG_CACHE_HOME when set,
// below ~/.cache otherwise.
func Default() (Store, error) {
	root, err := os.UserCacheDir()
	if err != nil {
		return Store{}, fmt.Errorf("find cache directory: %w", err)
	}
	return Store{Dir: filepath.Join(root, "rook-ceph")}, nil
}

// Key returns a short hash of the JSON form of the parts. Equal parts give
// equal keys on every machine.
func Key(parts ...any) (string, error) {
	sum := sha256.New()
	for _, part := range parts {
		data, err := json.Marshal(part)
		if err != nil {
			return "", fmt.Errorf("hash %T: %w", part, err)
		}
		sum.Write(data)
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))[:keyLength], nil
}

// Path returns where an entry lives, whether or not it exists.
func (s Store) Path(entry string) string { return filepath.Join(s.Dir, entry) }

// Has tells whether an entry is complete.
func (s Store) Has(entry string) bool {
	info, err := os.Stat(s.Path(entry))
	return err == nil && info.IsDir()
}

// Get returns the directory of an entry and fills it first when it is absent.
// Two processes that want the same entry fill it once. When fill fails nothing
// stays behind.
func (s Store) Get(ctx context.Context, entry string, fill func(dir string) error) (string, error) {
	path := s.Path(entry)
	if s.Has(entry) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("create cache directory: %w", err)
	}
	unlock, err := Lock(ctx, path+".lock")
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", path, err)
	}
	defer unlock()
	if s.Has(entry) {
		return path, nil
	}
	return path, s.fill(path, fill)
}

func (s Store) fill(path string, fill func(dir string) error) error {
	temporary := path + ".partial"
	// The lock is ours, so a partial directory is left over from a crash.
	if err := os.RemoveAll(temporary); err != nil {
		return fmt.Errorf("remove leftover %s: %w", temporary, err)
	}
	if err := os.Mkdir(temporary, 0o755); err != nil {
		return fmt.Errorf("create %s: %w", temporary, err)
	}
	if err := fill(temporary); err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("finish %s: %w", path, err)
	}
	return nil
}

// Link points the symbolic link name at an entry, in one step, so that a
// reader sees the old or the new target and nothing between.
func (s Store) Link(name, entry string) (string, error) {
	link := s.Path(name)
	target, err := filepath.Rel(filepath.Dir(link), s.Path(entry))
	if err != nil {
		return "", fmt.Errorf("relate %s to %s: %w", entry, name, err)
	}
	if current, err := os.Readlink(link); err == nil && current == target {
		return link, nil
	}
	temporary := link + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("remove leftover link: %w", err)
	}
	if err := os.Symlink(target, temporary); err != nil {
		return "", fmt.Errorf("create link: %w", err)
	}
	if err := os.Rename(temporary, link); err != nil {
		return "", fmt.Errorf("switch link: %w", err)
	}
	return link, nil
}

// Lock takes an exclusive lock on a file, waiting as long as the context
// allows. The kernel drops it when the process dies.
func Lock(ctx context.Context, path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-ticker.C:
		}
	}
}
