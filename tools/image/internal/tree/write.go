package tree

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Layer is a finished layer file.
type Layer struct {
	// Digest is the sha256 of the file in hex.
	Digest string `json:"digest"`
	// Size is its length in bytes.
	Size int64 `json:"size"`
}

// Reshape writes the part of the file system in the tar file from that a shape
// describes to the tar file to. Times after started become the newest time
// before it, so that equal packages give an equal layer.
func Reshape(from, to string, shape Shape, started time.Time) (layer Layer, err error) {
	source, err := openArchive(from)
	if err != nil {
		return Layer{}, fmt.Errorf("open file system: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if err := source.pick(shape); err != nil {
		return Layer{}, err
	}
	clamp := source.newest(started)
	return writeFile(to, func(w *writer) error {
		w.clamp = clamp
		for _, e := range source.entries {
			if e.kept && !shape.adds(e.name) {
				if err := w.copy(source, e, shape); err != nil {
					return err
				}
			}
		}
		return w.additions(source, shape)
	})
}

// pick marks what stays.
func (a *archive) pick(shape Shape) error {
	if len(shape.Roots) > 0 {
		if err := a.keepClosure(shape); err != nil {
			return err
		}
	} else {
		for _, e := range a.entries {
			e.kept = true
		}
	}
	for _, e := range a.entries {
		if e.kept && matches(shape.Drop, e.name) && !matches(shape.Keep, e.name) {
			e.kept = false
		}
	}
	for _, e := range a.entries {
		if e.kept && e.header.Typeflag == tar.TypeLink {
			a.byName[clean(e.header.Linkname)].kept = true
		}
	}
	a.keepParents()
	return nil
}

// keepParents keeps the directories of all kept entries, including those that
// are links to directories.
func (a *archive) keepParents() {
	for _, e := range slices.Clone(a.entries) {
		if !e.kept {
			continue
		}
		for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
			if parent := a.byName[dir]; parent != nil {
				parent.kept = true
			}
		}
	}
}

func (s Shape) adds(name string) bool {
	return name == s.Bundle || slices.ContainsFunc(s.Files, func(f File) bool { return f.Path == name })
}

// writer writes a layer: entries in a fixed form, parents before children.
type writer struct {
	tar   *tar.Writer
	clamp time.Time
	made  map[string]bool
}

func writeFile(name string, fill func(*writer) error) (layer Layer, err error) {
	file, err := os.Create(name)
	if err != nil {
		return Layer{}, fmt.Errorf("create layer: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum, buffered := sha256.New(), bufio.NewWriterSize(file, 1<<20)
	count := &counter{}
	w := &writer{tar: tar.NewWriter(io.MultiWriter(buffered, sum, count)), made: map[string]bool{}}
	if err := fill(w); err != nil {
		return Layer{}, fmt.Errorf("write layer %s: %w", name, err)
	}
	if err := errors.Join(w.tar.Close(), buffered.Flush()); err != nil {
		return Layer{}, fmt.Errorf("finish layer %s: %w", name, err)
	}
	return Layer{Digest: hex.EncodeToString(sum.Sum(nil)), Size: count.size}, nil
}

// counter counts what is written to it.
type counter struct{ size int64 }

func (c *counter) Write(data []byte) (int, error) {
	c.size += int64(len(data))
	return len(data), nil
}

// copy writes an entry of another archive. A directory that the shape names
// gets its mode and owner.
func (w *writer) copy(from *archive, e *entry, shape Shape) error {
	header := *e.header
	for _, dir := range shape.Directories {
		if dir.Path == e.name && header.Typeflag == tar.TypeDir {
			uid, gid, err := from.owner(dir.Owner)
			if err != nil {
				return err
			}
			header.Mode, header.Uid, header.Gid = dir.Mode, uid, gid
		}
	}
	header.Uname, header.Gname = "", ""
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	header.Format = tar.FormatUnknown
	header.PAXRecords = extendedAttributes(e.header)
	header.Name = e.name
	if header.Typeflag == tar.TypeLink {
		header.Linkname = clean(header.Linkname)
	}
	var content io.Reader
	if header.Typeflag == tar.TypeReg {
		content = from.content(e)
	}
	return w.entry(&header, content)
}

// extendedAttributes returns the records that carry file capabilities and the
// like; the others only repeat what the header says.
func extendedAttributes(header *tar.Header) map[string]string {
	records := map[string]string{}
	for key, value := range header.PAXRecords {
		if strings.HasPrefix(key, "SCHILY.xattr.") {
			records[key] = value
		}
	}
	return records
}

func (w *writer) entry(header *tar.Header, content io.Reader) error {
	if header.ModTime.After(w.clamp) {
		header.ModTime = w.clamp
	}
	header.ModTime = header.ModTime.Truncate(time.Second)
	w.made[header.Name] = true
	if header.Typeflag == tar.TypeDir {
		header.Name += "/"
	}
	if err := w.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("add %s: %w", header.Name, err)
	}
	if content == nil {
		return nil
	}
	if _, err := io.Copy(w.tar, content); err != nil {
		return fmt.Errorf("add %s: %w", header.Name, err)
	}
	return nil
}

// directory writes a directory and its parents unless they are there.
func (w *writer) directory(name string, mode int64, uid, gid int) error {
	if name == "." || w.made[name] {
		return nil
	}
	if err := w.directory(path.Dir(name), 0o755, 0, 0); err != nil {
		return err
	}
	return w.entry(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, Uid: uid, Gid: gid, ModTime: w.clamp}, nil)
}

// text writes a small file of root's.
func (w *writer) text(name string, data string) error {
	if err := w.directory(path.Dir(name), 0o755, 0, 0); err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: w.clamp}
	return w.entry(header, strings.NewReader(data))
}

// additions writes what a shape adds.
func (w *writer) additions(source *archive, shape Shape) error {
	for _, dir := range shape.Directories {
		uid, gid, err := source.owner(dir.Owner)
		if err != nil {
			return err
		}
		if err := w.directory(dir.Path, dir.Mode, uid, gid); err != nil {
			return err
		}
	}
	for _, file := range shape.Files {
		if err := w.text(file.Path, file.Text); err != nil {
			return err
		}
	}
	if shape.Bundle == "" {
		return nil
	}
	text, err := source.bundle(shape.BundleOf)
	if err != nil {
		return err
	}
	return w.text(shape.Bundle, text)
}

// bundle joins the files that match a pattern, sorted by name.
func (a *archive) bundle(pattern string) (string, error) {
	var names []string
	for name := range a.byName {
		if matches([]string{pattern}, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("find %s: no package provides it", pattern)
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		data, err := a.read(name)
		if err != nil {
			return "", err
		}
		text.Write(data)
	}
	return text.String(), nil
}

// Digest returns the digest and size of a layer file.
func Digest(name string) (layer Layer, err error) {
	file, err := os.Open(name)
	if err != nil {
		return Layer{}, fmt.Errorf("open layer: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	return Layer{Digest: hex.EncodeToString(sum.Sum(nil)), Size: size}, err
}
