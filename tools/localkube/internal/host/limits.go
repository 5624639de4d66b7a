package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// wantedLimits are the least values of host-wide limits that some dozens of
// pods on one kernel need.
func wantedLimits() map[string]int64 {
	return map[string]int64{
		"fs/inotify/max_user_instances": 8192,
		"fs/inotify/max_user_watches":   524288,
		"fs/aio-max-nr":                 1048576,
		"kernel/keys/maxkeys":           2000,
	}
}

// Limits raises host-wide limits and can put them back.
type Limits struct {
	// Settings is /proc/sys.
	Settings string
	// Record is the file that keeps the original values.
	Record string
}

// Raise raises every limit that is lower than a cluster needs and records what
// it was. Values recorded before are kept: they are the host's own.
func (l Limits) Raise() error {
	originals, err := l.load()
	if err != nil {
		return err
	}
	raise := map[string]int64{}
	for name, wanted := range wantedLimits() {
		now, err := l.read(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if now >= wanted {
			continue
		}
		raise[name] = wanted
		if _, ok := originals[name]; !ok {
			originals[name] = now
		}
	}
	if len(raise) == 0 {
		return nil
	}
	if err := l.save(originals); err != nil {
		return err
	}
	return l.write(raise)
}

// Restore puts every raised limit back and forgets the record.
func (l Limits) Restore() error {
	originals, err := l.load()
	if err != nil {
		return err
	}
	if err := l.write(originals); err != nil {
		return err
	}
	if err := os.Remove(l.Record); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget limits: %w", err)
	}
	return nil
}

func (l Limits) load() (map[string]int64, error) {
	originals := map[string]int64{}
	content, err := os.ReadFile(l.Record)
	if errors.Is(err, os.ErrNotExist) {
		return originals, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read limits: %w", err)
	}
	if err := json.Unmarshal(content, &originals); err != nil {
		return nil, fmt.Errorf("read limits %s: %w", l.Record, err)
	}
	return originals, nil
}

func (l Limits) save(originals map[string]int64) error {
	content, err := json.Marshal(originals)
	if err != nil {
		return fmt.Errorf("encode limits: %w", err)
	}
	if err := os.WriteFile(l.Record, content, 0o644); err != nil {
		return fmt.Errorf("record limits: %w", err)
	}
	return nil
}

func (l Limits) read(name string) (int64, error) {
	content, err := os.ReadFile(filepath.Join(l.Settings, name))
	if err != nil {
		return 0, fmt.Errorf("read limit: %w", err)
	}
	value, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read limit %s: %w", name, err)
	}
	return value, nil
}

func (l Limits) write(values map[string]int64) error {
	var failures []error
	for name, value := range values {
		if err := os.WriteFile(filepath.Join(l.Settings, name), []byte(strconv.FormatInt(value, 10)), 0o644); err != nil {
			failures = append(failures, fmt.Errorf("set limit: %w", err))
		}
	}
	return errors.Join(failures...)
}
