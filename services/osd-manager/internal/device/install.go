package device

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Install copies the running program to dir/osd-prepare, so that containers of
// another image in the same pod can run it. It replaces an older copy at once.
func Install(dir string) error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("open own program: %w", err)
	}
	defer func() { _ = self.Close() }()
	temp, err := os.CreateTemp(dir, ".osd-prepare-*")
	if err != nil {
		return fmt.Errorf("make file in %s: %w", dir, err)
	}
	_, copyErr := io.Copy(temp, self)
	err = errors.Join(copyErr, temp.Chmod(0o755), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(dir, "osd-prepare"))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("install into %s: %w", dir, err), os.Remove(temp.Name()))
	}
	return nil
}
