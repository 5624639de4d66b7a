package tree

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path"
	"time"
)

// Program is a file to put into a layer.
type Program struct {
	// From is a file on this machine.
	From string
	// To is where it goes, relative to the root.
	To string
}

// Programs writes a layer with executable files that belong to root. Only
// their content, names and order decide its digest.
func Programs(to string, stamp time.Time, programs []Program) (Layer, error) {
	return writeFile(to, func(w *writer) error {
		w.clamp = stamp
		for _, program := range programs {
			if err := w.program(program); err != nil {
				return err
			}
		}
		return nil
	})
}

// Skeleton writes a layer with nothing but a shape's directories and files.
func Skeleton(to string, stamp time.Time, shape Shape) (Layer, error) {
	return writeFile(to, func(w *writer) error {
		w.clamp = stamp
		return w.additions(&archive{}, shape)
	})
}

func (w *writer) program(program Program) (err error) {
	file, err := os.Open(program.From)
	if err != nil {
		return fmt.Errorf("open program: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := w.directory(path.Dir(program.To), 0o755, 0, 0); err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: program.To, Mode: 0o755, Size: info.Size(), ModTime: w.clamp}
	return w.entry(header, file)
}
