package oci

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Annotations by which containerd and other tools name an imported image.
const (
	annotationName = "io.containerd.image.name"
	annotationRef  = "org.opencontainers.image.ref.name"
)

const layoutFile = `{"imageLayoutVersion":"1.0.0"}`

// WriteArchive stores an index under one or more image names as a tar file in
// OCI layout. When the file already holds just that, it is left alone and
// changed is false. The file is replaced in one step.
func WriteArchive(file string, index v1.ImageIndex, names ...string) (changed bool, err error) {
	top, err := topIndex(index, names)
	if err != nil {
		return false, fmt.Errorf("describe image: %w", err)
	}
	if have, err := readMember(file, "index.json"); err == nil && bytes.Equal(have, top) {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return false, fmt.Errorf("create image directory: %w", err)
	}
	out, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return false, fmt.Errorf("create image file: %w", err)
	}
	w := &archiveWriter{tar: tar.NewWriter(out), done: map[v1.Hash]bool{}}
	err = errors.Join(w.all(top, index), w.tar.Close(), out.Chmod(0o644), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), file)
	}
	if err != nil {
		return false, errors.Join(fmt.Errorf("write %s: %w", file, err), os.Remove(out.Name()))
	}
	return true, nil
}

// topIndex returns the content of index.json: the index once per name.
func topIndex(index v1.ImageIndex, names []string) ([]byte, error) {
	digest, err := index.Digest()
	if err != nil {
		return nil, err
	}
	size, err := index.Size()
	if err != nil {
		return nil, err
	}
	manifest := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, name := range names {
		manifest.Manifests = append(manifest.Manifests, v1.Descriptor{
			MediaType: types.OCIImageIndex, Digest: digest, Size: size,
			Annotations: map[string]string{annotationName: name, annotationRef: tagOf(name)},
		})
	}
	return json.Marshal(manifest)
}

func tagOf(name string) string {
	_, last := path.Split(name)
	for i := len(last) - 1; i >= 0; i-- {
		if last[i] == ':' {
			return last[i+1:]
		}
	}
	return "latest"
}

// archiveWriter writes members of a layout, each blob once.
type archiveWriter struct {
	tar  *tar.Writer
	done map[v1.Hash]bool
}

// all writes the whole layout. index.json comes early, so that a reader that
// only wants the digest is quick.
func (w *archiveWriter) all(top []byte, index v1.ImageIndex) error {
	if err := w.member("oci-layout", int64(len(layoutFile)), bytes.NewReader([]byte(layoutFile))); err != nil {
		return err
	}
	if err := w.member("index.json", int64(len(top)), bytes.NewReader(top)); err != nil {
		return err
	}
	raw, err := index.RawManifest()
	if err != nil {
		return err
	}
	if err := w.blob(raw); err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, descriptor := range manifest.Manifests {
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			return err
		}
		if err := w.image(image); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiveWriter) image(image v1.Image) error {
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	if err := errors.Join(w.blob(manifest), w.blob(config)); err != nil {
		return err
	}
	for _, layer := range layers {
		if err := w.layer(layer); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiveWriter) blob(data []byte) error {
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil || w.done[digest] {
		return err
	}
	w.done[digest] = true
	return w.member(blobName(digest), size, bytes.NewReader(data))
}

func (w *archiveWriter) layer(layer v1.Layer) (err error) {
	digest, err := layer.Digest()
	if err != nil || w.done[digest] {
		return err
	}
	size, err := layer.Size()
	if err != nil {
		return err
	}
	content, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	w.done[digest] = true
	return w.member(blobName(digest), size, content)
}

func blobName(digest v1.Hash) string { return path.Join("blobs", digest.Algorithm, digest.Hex) }

func (w *archiveWriter) member(name string, size int64, content io.Reader) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0)}
	if err := w.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	if _, err := io.Copy(w.tar, content); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	return nil
}

// readMember returns one member of a tar file.
func readMember(file, name string) (data []byte, err error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	reader := tar.NewReader(opened)
	for {
		header, err := reader.Next()
		if err != nil {
			return nil, fmt.Errorf("find %s in %s: %w", name, file, err)
		}
		if header.Name == name {
			return io.ReadAll(reader)
		}
	}
}

// Stored is what an image file says about itself.
type Stored struct {
	// Names are the image names that it is imported under.
	Names []string
	// Digest is that of the index below the names.
	Digest v1.Hash
	// Platforms are those that the image is built for.
	Platforms []string
	// Labels are the annotations of the index.
	Labels map[string]string
}

// Inspect reads an image file without its layers.
func Inspect(file string) (Stored, error) {
	var top, index v1.IndexManifest
	if err := decodeMember(file, "index.json", &top); err != nil {
		return Stored{}, err
	}
	if len(top.Manifests) == 0 {
		return Stored{}, fmt.Errorf("inspect %s: it names no image", file)
	}
	stored := Stored{Digest: top.Manifests[0].Digest}
	for _, descriptor := range top.Manifests {
		stored.Names = append(stored.Names, descriptor.Annotations[annotationName])
	}
	if err := decodeMember(file, blobName(stored.Digest), &index); err != nil {
		return Stored{}, err
	}
	stored.Labels = index.Annotations
	for _, descriptor := range index.Manifests {
		if descriptor.Platform != nil {
			stored.Platforms = append(stored.Platforms, descriptor.Platform.String())
		}
	}
	return stored, nil
}

func decodeMember(file, name string, into any) error {
	data, err := readMember(file, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("decode %s of %s: %w", name, file, err)
	}
	return nil
}

// Unarchive unpacks an image file into an empty directory and opens the first
// image that it names.
func Unarchive(file, dir string) (index v1.ImageIndex, err error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	reader := tar.NewReader(opened)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		if err := extract(dir, header, reader); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", file, err)
		}
	}
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("open layout of %s: %w", file, err)
	}
	manifest, err := top.IndexManifest()
	if err != nil || len(manifest.Manifests) == 0 {
		return nil, fmt.Errorf("open %s: it names no image: %w", file, err)
	}
	return top.ImageIndex(manifest.Manifests[0].Digest)
}

func extract(dir string, header *tar.Header, content io.Reader) (err error) {
	if header.Typeflag != tar.TypeReg || !filepath.IsLocal(header.Name) {
		return nil
	}
	name := filepath.Join(dir, header.Name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return errors.Join(err, out.Close())
}
