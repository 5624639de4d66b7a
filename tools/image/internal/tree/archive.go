package tree

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
)

// archive is the table of contents of a tar file.
type archive struct {
	file    *os.File
	entries []*entry
	byName  map[string]*entry
}

// entry is one member of a tar file.
type entry struct {
	header *tar.Header
	name   string
	offset int64
	kept   bool
}

// clean turns a name in a tar file into one relative to the root.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// openArchive reads the table of contents. The file must stay unchanged until
// Close.
func openArchive(name string) (*archive, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	a := &archive{file: file, byName: map[string]*entry{}}
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read %s: %w", name, err), file.Close())
		}
		offset, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		e := &entry{header: header, name: clean(header.Name), offset: offset}
		if e.name == "" {
			continue
		}
		a.entries = append(a.entries, e)
		a.byName[e.name] = e
	}
}

// Close releases the file.
func (a *archive) Close() error { return a.file.Close() }

// content returns a reader of one regular file.
func (a *archive) content(e *entry) *io.SectionReader {
	return io.NewSectionReader(a.file, e.offset, e.header.Size)
}

// read returns the content of a regular file by name, following links.
func (a *archive) read(name string) ([]byte, error) {
	e := a.resolve(name)
	if e == nil || e.header.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("read %s: %w", name, os.ErrNotExist)
	}
	return io.ReadAll(a.content(e))
}

// resolve follows symbolic links in every part of a name and hard links at its
// end. It returns nil when the name leads nowhere.
func (a *archive) resolve(name string) *entry {
	chain := a.chain(name)
	if len(chain) == 0 {
		return nil
	}
	return chain[len(chain)-1]
}

// chain returns every entry on the way to what a name stands for: the links
// and, last, the target. It is empty when the name leads nowhere.
func (a *archive) chain(name string) []*entry {
	const maxLinks = 40
	var passed []*entry
	done, rest := "", clean(name)
	for range maxLinks * 8 {
		part, tail, more := strings.Cut(rest, "/")
		e := a.byName[path.Join(done, part)]
		switch {
		case e == nil && more:
			// A tar file need not list every directory.
			done, rest = path.Join(done, part), tail
			continue
		case e == nil:
			return nil
		}
		switch e.header.Typeflag {
		case tar.TypeSymlink:
			passed = append(passed, e)
			target := e.header.Linkname
			if !path.IsAbs(target) {
				target = path.Join(done, target)
			}
			done, rest = "", path.Join(clean(target), tail)
			continue
		case tar.TypeLink:
			passed = append(passed, e)
			done, rest = "", path.Join(clean(e.header.Linkname), tail)
			continue
		}
		if !more {
			return append(passed, e)
		}
		done, rest = e.name, tail
	}
	return nil
}

// newest returns the latest time before the limit of a regular file below
// usr, where only packages write: what they bring is older than the build,
// what their scripts make is not.
func (a *archive) newest(limit time.Time) time.Time {
	latest := time.Unix(0, 0)
	// Times in a tar file are whole seconds, rounded down.
	limit = limit.Truncate(time.Minute)
	for _, e := range a.entries {
		if e.header.Typeflag != tar.TypeReg || !strings.HasPrefix(e.name, "usr/") {
			continue
		}
		if at := e.header.ModTime; at.Before(limit) && at.After(latest) {
			latest = at
		}
	}
	return latest
}

// owner looks a user up in the archive's own etc/passwd.
func (a *archive) owner(user string) (uid, gid int, err error) {
	if user == "" {
		return 0, 0, nil
	}
	passwd, err := a.read("etc/passwd")
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(passwd) {
		fields := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(fields) > 3 && fields[0] == user {
			_, err := fmt.Sscan(fields[2]+" "+fields[3], &uid, &gid)
			return uid, gid, err
		}
	}
	return 0, 0, fmt.Errorf("find user %q in etc/passwd: %w", user, os.ErrNotExist)
}
