package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// imageAnnotation makes Kubernetes replace the pods of a service when its image
// was built anew, since the tag of local images stays the same.
const imageAnnotation = "rook-ceph.io/image"

// stampImages annotates the pods of each service with what its image holds, as
// the files in dir tell. A service without a file is left as it is.
func stampImages(values map[string]any, dir string) error {
	for name, value := range values {
		service, isService := value.(map[string]any)
		if !isService || name == "global" {
			continue
		}
		stamp, err := contentOf(filepath.Join(dir, name+".tar"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		service["podAnnotations"] = map[string]any{imageAnnotation: stamp}
	}
	return nil
}

// contentOf is a short name of what an OCI layout holds: its index names all of it
// by digest.
func contentOf(layout string) (string, error) {
	file, err := os.Open(filepath.Clean(layout))
	if err != nil {
		return "", fmt.Errorf("open image: %w", err)
	}
	defer file.Close()
	for archive := tar.NewReader(file); ; {
		entry, err := archive.Next()
		if err != nil {
			return "", fmt.Errorf("find index.json in %s: %w", layout, err)
		}
		if entry.Name != "index.json" {
			continue
		}
		index, err := io.ReadAll(archive)
		if err != nil {
			return "", fmt.Errorf("read index.json of %s: %w", layout, err)
		}
		sum := sha256.Sum256(index)
		return hex.EncodeToString(sum[:6]), nil
	}
}
