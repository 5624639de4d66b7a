// Package record keeps what is known of a volume on this node in a file of the
// volume's own directory, so that a restarted node-agent goes on where its
// predecessor stopped. Records hold no keys.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const file = "attachment.json"

// Dir is the directory of a volume below root. It is short, since the path of a
// socket in it is limited to 107 bytes, and does not depend on what characters a
// handle has.
func Dir(root, volumeID string) string {
	const length = 8
	sum := sha256.Sum256([]byte(volumeID))
	return filepath.Join(root, hex.EncodeToString(sum[:length]))
}

// Read returns the record in a directory, os.ErrNotExist if there is none.
func Read[T any](dir string) (T, error) {
	var record T
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return record, fmt.Errorf("read attachment: %w", err)
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return record, fmt.Errorf("read attachment %s: %w", dir, err)
	}
	return record, nil
}

// Write replaces the record in one step, so that a crash leaves the old or the
// new one.
func Write[T any](dir string, record T) error {
	text, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode attachment: %w", err)
	}
	temporary, err := os.CreateTemp(dir, file+"-*")
	if err != nil {
		return fmt.Errorf("write attachment: %w", err)
	}
	_, err = temporary.Write(text)
	if err == nil {
		err = temporary.Sync()
	}
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(dir, file))
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("write attachment: %w", err)
	}
	return nil
}

// List returns the records of all volumes below root, also those of a
// predecessor. Those that can be read come beside an error about the others.
func List[T any](root string) ([]T, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list attachments: %w", err)
	}
	var records []T
	var unreadable []error
	for _, entry := range entries {
		record, err := Read[T](filepath.Join(root, entry.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			unreadable = append(unreadable, err)
			continue
		}
		records = append(records, record)
	}
	return records, errors.Join(unreadable...)
}
