package tree

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// statusDir holds one control file and one list of files per unpacked package.
const statusDir = "var/lib/dpkg/status.d/"

// keepClosure marks the roots and everything that they need at run time.
func (a *archive) keepClosure(shape Shape) error {
	c := &closure{archive: a}
	for _, e := range a.entries {
		if e.header.Typeflag != tar.TypeDir && matches(shape.Roots, e.name) {
			c.add(e.name)
		}
	}
	for _, root := range shape.Roots {
		if !slices.ContainsFunc(a.entries, func(e *entry) bool { return matches([]string{root}, e.name) }) {
			c.fail(fmt.Errorf("find %s: no package provides it", root))
		}
	}
	for len(c.queue) > 0 {
		next := c.queue[0]
		c.queue = c.queue[1:]
		c.follow(next)
	}
	if c.failed.ErrorOrNil() != nil {
		return c.failed
	}
	return a.keepLicences()
}

// closure is one search for what a set of files needs.
type closure struct {
	*archive
	queue  []*entry
	failed *multierror.Error
}

func (c *closure) fail(err error) { c.failed = multierror.Append(c.failed, err) }

// add keeps what a name stands for and tells whether it stands for anything.
func (c *closure) add(name string) bool {
	chain := c.chain(name)
	for _, e := range chain {
		if !e.kept {
			e.kept = true
			c.queue = append(c.queue, e)
		}
	}
	return len(chain) > 0
}

// follow keeps what one file needs.
func (c *closure) follow(e *entry) {
	if e.header.Typeflag != tar.TypeReg || e.header.Size < 64 {
		return
	}
	reader := c.content(e)
	magic := make([]byte, 4)
	if _, err := reader.ReadAt(magic, 0); err != nil || string(magic) != elf.ELFMAG {
		return
	}
	binary, err := elf.NewFile(reader)
	if err != nil {
		c.fail(fmt.Errorf("read %s: %w", e.name, err))
		return
	}
	if loader := interpreter(binary); loader != "" && !c.add(loader) {
		c.fail(fmt.Errorf("find loader %s of %s: no package provides it", loader, e.name))
	}
	libraries, err := binary.ImportedLibraries()
	if err != nil {
		c.fail(fmt.Errorf("read libraries of %s: %w", e.name, err))
	}
	directories := searchPath(binary, e.name)
	for _, library := range libraries {
		if !slices.ContainsFunc(directories, func(dir string) bool { return c.add(path.Join(dir, library)) }) {
			c.fail(fmt.Errorf("find library %s of %s: no package provides it", library, e.name))
		}
	}
}

// interpreter returns the path of the dynamic loader that a program names.
func interpreter(binary *elf.File) string {
	for _, program := range binary.Progs {
		if program.Type == elf.PT_INTERP {
			data, err := io.ReadAll(program.Open())
			if err != nil {
				return ""
			}
			return string(bytes.TrimRight(data, "\x00"))
		}
	}
	return ""
}

// searchPath returns the directories in which the loader looks for the
// libraries of a file.
func searchPath(binary *elf.File, name string) []string {
	var directories []string
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		values, err := binary.DynString(tag)
		if err != nil {
			continue
		}
		for _, value := range values {
			value = strings.ReplaceAll(value, "$ORIGIN", path.Dir("/"+name))
			directories = append(directories, strings.Split(value, ":")...)
		}
	}
	triplet := "x86_64-linux-gnu"
	if binary.Machine == elf.EM_AARCH64 {
		triplet = "aarch64-linux-gnu"
	}
	return append(directories, "usr/lib/"+triplet, "usr/lib", "usr/lib64")
}

// keepLicences keeps the copyright file and the package record of every
// package of which at least one file stays.
func (a *archive) keepLicences() error {
	var result *multierror.Error
	for _, e := range a.entries {
		name, ok := strings.CutSuffix(e.name, ".md5sums")
		if !ok || !strings.HasPrefix(e.name, statusDir) {
			continue
		}
		sums, err := io.ReadAll(a.content(e))
		if err != nil {
			result = multierror.Append(result, err)
			continue
		}
		if !a.keepsAny(sums) {
			continue
		}
		for _, file := range []string{name, "usr/share/doc/" + path.Base(name) + "/copyright"} {
			for _, link := range a.chain(file) {
				link.kept = true
			}
		}
	}
	return errors.Join(result.ErrorOrNil())
}

// keepsAny tells whether a file of a package's md5sums list stays.
func (a *archive) keepsAny(sums []byte) bool {
	for line := range bytes.Lines(sums) {
		_, name, _ := strings.Cut(strings.TrimSpace(string(line)), "  ")
		if e := a.byName[name]; e != nil && e.kept {
			return true
		}
	}
	return false
}
