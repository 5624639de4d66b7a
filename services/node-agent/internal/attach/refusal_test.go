package attach

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRefusal_is_an_answer_of_the_device(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		unix.EIO: true, unix.ESHUTDOWN: true, unix.ENXIO: true, unix.EMFILE: false, unix.EACCES: false, fs.ErrNotExist: false,
	} {
		if got := refusal(fmt.Errorf("read device: %w", err)); got != want {
			t.Errorf("%v: want %t", err, want)
		}
	}
	if refusal(nil) {
		t.Error("an answer is a refusal")
	}
}

func TestRefused_asks_a_silent_device_once(t *testing.T) {
	t.Parallel()
	const device = "silent"
	earlier := &question{done: make(chan struct{}), err: unix.EIO}
	r := &Refusals{pending: map[string]*question{device: earlier}}
	if r.ask(device) != earlier {
		t.Error("the device was asked once more")
	}
	close(earlier.done)
	if !r.Refused(device) {
		t.Error("the answer to the earlier question was not taken")
	}
}

func TestReadPast_reads_past_the_page_cache(t *testing.T) {
	t.Parallel()
	// Direct I/O needs a file system of a disk.
	dir, err := os.MkdirTemp("/var/tmp", "refusal-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "device")
	if err := os.WriteFile(file, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readPast(file); err != nil && !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	if (&Refusals{}).Refused(filepath.Join(dir, "none")) {
		t.Error("a device that is not there refuses")
	}
}
