package attach

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const stateFile = "attachment.json"

// dir is short, since the path of a socket in it is limited to 107 bytes, and
// does not depend on what characters a handle has.
func (a Attacher) dir(volumeID string) string {
	const length = 8
	sum := sha256.Sum256([]byte(volumeID))
	return filepath.Join(a.Directory, hex.EncodeToString(sum[:length]))
}

func read(dir string) (Attachment, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return Attachment{}, fmt.Errorf("read attachment: %w", err)
	}
	var record Attachment
	if err := json.Unmarshal(text, &record); err != nil {
		return Attachment{}, fmt.Errorf("read attachment %s: %w", dir, err)
	}
	return record, nil
}

// write replaces the record in one step, so that a crash leaves the old or the
// new one.
func write(dir string, record Attachment) error {
	text, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode attachment: %w", err)
	}
	file, err := os.CreateTemp(dir, stateFile+"-*")
	if err != nil {
		return fmt.Errorf("write attachment: %w", err)
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, stateFile))
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("write attachment: %w", err)
	}
	return nil
}
