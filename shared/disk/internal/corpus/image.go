package corpus

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// BlockSize is the unit in which images are stored.
const BlockSize = 4096

// header begins every stored image.
const header = "sparse image 1\n"

// Extension ends the file name of every stored image.
const Extension = ".img.gz"

// Image is a sparse disk image in memory. The zero value is an empty device.
type Image struct {
	Size   int64
	blocks map[int64][]byte
}

// ReadAt implements io.ReaderAt; what was never written is zero.
func (m *Image) ReadAt(out []byte, offset int64) (int, error) {
	if offset < 0 || offset >= m.Size {
		return 0, io.EOF
	}
	n := int(min(int64(len(out)), m.Size-offset))
	for done := 0; done < n; {
		position := offset + int64(done)
		within := int(position % BlockSize)
		length := min(BlockSize-within, n-done)
		clear(out[done : done+length])
		if block, ok := m.blocks[position/BlockSize]; ok {
			copy(out[done:done+length], block[within:])
		}
		done += length
	}
	if n < len(out) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt within the size of the image.
func (m *Image) WriteAt(data []byte, offset int64) (int, error) {
	if offset < 0 || offset+int64(len(data)) > m.Size {
		return 0, fmt.Errorf("write %d bytes at %d: image has %d", len(data), offset, m.Size)
	}
	if m.blocks == nil {
		m.blocks = map[int64][]byte{}
	}
	for done := 0; done < len(data); {
		position := offset + int64(done)
		index, within := position/BlockSize, int(position%BlockSize)
		block, ok := m.blocks[index]
		if !ok {
			block = make([]byte, BlockSize)
			m.blocks[index] = block
		}
		done += copy(block[within:], data[done:])
	}
	return len(data), nil
}

// Encode writes the image in its stored form: the same image always gives the
// same bytes.
func (m *Image) Encode(to io.Writer) error {
	zip, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("encode image: %w", err)
	}
	var indexes []int64
	for index, block := range m.blocks {
		if !bytes.Equal(block, make([]byte, BlockSize)) {
			indexes = append(indexes, index)
		}
	}
	slices.Sort(indexes)
	out := append([]byte(header), binary.LittleEndian.AppendUint64(nil, uint64(m.Size))...)
	for _, index := range indexes {
		out = binary.LittleEndian.AppendUint64(out, uint64(index))
		out = append(out, m.blocks[index]...)
	}
	if _, err := zip.Write(out); err != nil {
		return fmt.Errorf("encode image: %w", err)
	}
	return zip.Close()
}

// Decode reads an image in its stored form.
func Decode(from io.Reader) (*Image, error) {
	zip, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("decode image: %w", err)
	}
	in := bufio.NewReader(zip)
	start := make([]byte, len(header)+8)
	if _, err := io.ReadFull(in, start); err != nil || !bytes.HasPrefix(start, []byte(header)) {
		return nil, fmt.Errorf("decode image: no header: %w", err)
	}
	image := &Image{Size: int64(binary.LittleEndian.Uint64(start[len(header):])), blocks: map[int64][]byte{}}
	record := make([]byte, 8+BlockSize)
	for {
		_, err := io.ReadFull(in, record)
		if errors.Is(err, io.EOF) {
			return image, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decode image: %w", err)
		}
		image.blocks[int64(binary.LittleEndian.Uint64(record))] = bytes.Clone(record[8:])
	}
}

// Load reads every stored image below dir, by name.
func Load(dir string) (map[string]*Image, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+Extension))
	if err != nil {
		return nil, fmt.Errorf("load images: %w", err)
	}
	images := map[string]*Image{}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("load images: %w", err)
		}
		image, err := Decode(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("load %s: %w", path, err)
		}
		images[strings.TrimSuffix(filepath.Base(path), Extension)] = image
	}
	return images, nil
}

// WriteFile writes the image as a sparse file.
func (m *Image) WriteFile(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	err = file.Truncate(m.Size)
	for index, block := range m.blocks {
		if err == nil {
			length := min(int64(BlockSize), m.Size-index*BlockSize)
			_, err = file.WriteAt(block[:length], index*BlockSize)
		}
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

// Pack reads from a file what a probe could ever look at: the beginning, the
// end, and the given offsets.
func Pack(path string, offsets ...int64) (*Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("pack image: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("pack image: %w", err)
	}
	const head, tail, around = 4608 << 10, 2 << 20, 64 << 10
	image := &Image{Size: info.Size()}
	ranges := [][2]int64{{0, head}, {info.Size() - tail, info.Size()}}
	for _, offset := range offsets {
		ranges = append(ranges, [2]int64{offset, offset + around})
	}
	buffer := make([]byte, BlockSize)
	for _, r := range ranges {
		first := max(0, r[0]) / BlockSize * BlockSize
		for offset := first; offset < min(r[1], info.Size()); offset += BlockSize {
			n, err := file.ReadAt(buffer, offset)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("pack image: %w", err)
			}
			if !bytes.Equal(buffer[:n], make([]byte, n)) {
				if _, err := image.WriteAt(buffer[:n], offset); err != nil {
					return nil, fmt.Errorf("pack image: %w", err)
				}
			}
		}
	}
	return image, nil
}

// Unpack writes the image to a file: its size, and the blocks that hold
// something. The file must be empty.
func (m *Image) Unpack(file *os.File) error {
	if err := file.Truncate(m.Size); err != nil {
		return err
	}
	for index, block := range m.blocks {
		block = block[:min(BlockSize, m.Size-index*BlockSize)]
		if _, err := file.WriteAt(block, index*BlockSize); err != nil {
			return err
		}
	}
	return nil
}
