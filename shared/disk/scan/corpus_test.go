package scan_test

import (
	"os"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
)

// imageSize reads how large the disk of a stored image is.
func imageSize(t *testing.T, path string) int64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	image, err := corpus.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return image.Size
}
