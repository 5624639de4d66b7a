package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// NameAnnotation is where an OCI layout says an image's full name.
const NameAnnotation = "io.containerd.image.name"

// Make writes an OCI layout at directory with one image that holds only the
// given static program. A layout that is there already is kept.
func Make(directory, name, program string) error {
	if _, err := os.Stat(filepath.Join(directory, "index.json")); err == nil {
		return nil
	}
	image, err := single(program)
	if err != nil {
		return fmt.Errorf("make image %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(directory), 0o755); err != nil {
		return fmt.Errorf("make image %s: %w", name, err)
	}
	temporary, err := os.MkdirTemp(filepath.Dir(directory), ".making-")
	if err != nil {
		return fmt.Errorf("make image %s: %w", name, err)
	}
	defer os.RemoveAll(temporary)
	target, err := layout.Write(temporary, empty.Index)
	if err != nil {
		return fmt.Errorf("make image %s: %w", name, err)
	}
	if err := target.AppendImage(image, layout.WithAnnotations(map[string]string{NameAnnotation: name})); err != nil {
		return fmt.Errorf("make image %s: %w", name, err)
	}
	if err := os.Rename(temporary, directory); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make image %s: %w", name, err)
	}
	return nil
}

// single returns an image whose only file is the program, which it starts.
func single(program string) (v1.Image, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	path := filepath.Base(program)
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	header := &tar.Header{Name: path, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}
	if err := writer.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := writer.Write(content); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config.Entrypoint = []string{"/" + path}
	return mutate.ConfigFile(image, file)
}
