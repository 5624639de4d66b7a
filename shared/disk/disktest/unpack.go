package disktest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
)

// Corpus returns the files of the corpus of disk images below dir, by name.
func Corpus(t testing.TB, dir string) map[string]string {
	t.Helper()
	images, err := corpus.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for name := range images {
		files[name] = filepath.Join(dir, name+corpus.Extension)
	}
	return files
}

// Unpack makes a sparse file with the content of an image of the corpus, for a
// real loop device.
func Unpack(t testing.TB, image, path string) *os.File {
	t.Helper()
	from, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	content, err := corpus.Decode(from)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := content.Unpack(file); err != nil {
		t.Fatal(err)
	}
	return file
}
