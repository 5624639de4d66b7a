package tree

import (
	"path"
	"strings"
)

// Shape says what stays of a file system and what is added. Paths are relative
// to its root. A pattern that ends in "/" stands for everything below that
// directory; any other pattern is a path.Match pattern for the whole path.
type Shape struct {
	// Roots are patterns of files that must stay. When there are any, only
	// these files stay together with what they need: targets of links,
	// dynamic loaders, shared libraries, and the licences of their packages.
	Roots []string
	// Drop are patterns of files that go, roots or not.
	Drop []string
	// Keep are patterns that Drop does not apply to.
	Keep []string
	// Directories are added when they are absent.
	Directories []Directory
	// Files are added or replaced.
	Files []File
	// Bundle is a file to write with the contents of all files that match
	// BundleOf, in order of their names.
	Bundle, BundleOf string
}

// Directory is a directory to add.
type Directory struct {
	// Path is relative to the root.
	Path string
	// Mode holds permission bits.
	Mode int64
	// Owner is a user name of the file system's own etc/passwd; empty is root.
	Owner string
}

// File is a small text file to add.
type File struct {
	// Path is relative to the root.
	Path string
	// Text is its content.
	Text string
}

// matches tells whether any of the patterns stands for the path.
func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if directory, ok := strings.CutSuffix(pattern, "/"); ok {
			if below(directory, name) {
				return true
			}
			continue
		}
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// below tells whether name lies under a directory, whose own name may be a
// pattern.
func below(directory, name string) bool {
	depth := strings.Count(directory, "/") + 1
	parts := strings.Split(name, "/")
	if len(parts) <= depth {
		return false
	}
	ok, _ := path.Match(directory, strings.Join(parts[:depth], "/"))
	return ok
}
