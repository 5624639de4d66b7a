package probe

import (
	"errors"
	"fmt"
	"io"
)

// chunkSize is the unit in which a device is read and remembered.
const chunkSize = 64 << 10

// maxChunks bounds what one scan may read, whatever the device claims to hold.
const maxChunks = 160

// window reads a device in chunks and keeps each one, so that fifty checks of
// the same sector cost one read. The first failed read is kept in err.
type window struct {
	device io.ReaderAt
	size   int64
	chunks map[int64][]byte
	err    error
}

func newWindow(device io.ReaderAt, size int64) *window {
	return &window{device: device, size: size, chunks: map[int64][]byte{}}
}

// at returns n bytes from offset, or nil when the device does not reach that
// far or cannot be read there.
func (w *window) at(offset int64, n int) []byte {
	if offset < 0 || n <= 0 || offset > w.size-int64(n) {
		return nil
	}
	out := make([]byte, 0, n)
	for len(out) < n {
		position := offset + int64(len(out))
		chunk := w.chunk(position / chunkSize)
		within := position % chunkSize
		if int64(len(chunk)) <= within {
			return nil
		}
		part := chunk[within:]
		if len(part) > n-len(out) {
			part = part[:n-len(out)]
		}
		if len(out) == 0 && len(part) == n {
			return part
		}
		out = append(out, part...)
	}
	return out
}

func (w *window) chunk(index int64) []byte {
	if chunk, ok := w.chunks[index]; ok {
		return chunk
	}
	if len(w.chunks) >= maxChunks {
		w.fail(fmt.Errorf("stopped after %d reads", maxChunks))
		return nil
	}
	length := min(chunkSize, w.size-index*chunkSize)
	chunk := make([]byte, length)
	n, err := w.device.ReadAt(chunk, index*chunkSize)
	if err != nil && (!errors.Is(err, io.EOF) || int64(n) < length) {
		w.fail(fmt.Errorf("read %d bytes at %d: %w", length, index*chunkSize, err))
	}
	w.chunks[index] = chunk[:n]
	return chunk[:n]
}

func (w *window) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
