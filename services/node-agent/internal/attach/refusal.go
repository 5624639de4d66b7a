package attach

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readPatience is how long a device may take to answer. Without Ceph it does not answer at
// all, which says nothing about its client.
const readPatience = 5 * time.Second

// Refusals finds out which devices refuse to read: those of a client that was fenced, which
// the kernel keeps and tells of in no other way. The zero value is ready for use.
type Refusals struct {
	mu sync.Mutex
	// pending are devices that have not answered yet. A question cannot be taken back, so
	// a device is asked one at a time.
	pending map[string]*question
}

// question is what a device is asked; done is closed when err is the answer.
type question struct {
	done chan struct{}
	err  error
}

// Refused tells whether a device answers that it cannot be read. One that does not answer
// in time, or that cannot be asked, does not refuse.
func (r *Refusals) Refused(device string) bool {
	timer := time.NewTimer(readPatience)
	defer timer.Stop()
	asked := r.ask(device)
	select {
	case <-asked.done:
		return refusal(asked.err)
	case <-timer.C:
		return false
	}
}

// ask reads from the device in the background unless that goes on already.
func (r *Refusals) ask(device string) *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	if earlier, asked := r.pending[device]; asked {
		return earlier
	}
	if r.pending == nil {
		r.pending = map[string]*question{}
	}
	q := &question{done: make(chan struct{})}
	r.pending[device] = q
	go func() {
		q.err = readPast(device)
		r.mu.Lock()
		delete(r.pending, device)
		r.mu.Unlock()
		close(q.done)
	}()
	return q
}

// refusal tells what a device answers that has lost its image from what has to do with us.
func refusal(err error) bool {
	for _, lost := range []error{unix.EIO, unix.ENXIO, unix.ENODEV, unix.ESHUTDOWN} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

// readPast reads the first block of a device past the page cache.
func readPast(device string) error {
	const block = 4096
	file, err := os.OpenFile(device, os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return fmt.Errorf("open device: %w", err)
	}
	defer file.Close()
	buffer := make([]byte, 2*block)
	from := -uintptr(unsafe.Pointer(&buffer[0])) & (block - 1)
	if _, err := file.ReadAt(buffer[from:from+block], 0); err != nil {
		return fmt.Errorf("read device: %w", err)
	}
	return nil
}
