package image

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Archive is an OCI layout on disk: a directory, or a tar file of one.
type Archive struct {
	path      string
	directory bool
	images    []Image
}

// Image is one named image of an archive.
type Image struct {
	Name   string
	Digest string
}

// Open reads which images the layout at path holds.
func Open(path string) (Archive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Archive{}, fmt.Errorf("open image: %w", err)
	}
	archive := Archive{path: path, directory: info.IsDir()}
	var content []byte
	if archive.directory {
		content, err = os.ReadFile(filepath.Join(path, "index.json"))
	} else {
		content, err = fromTar(path, "index.json")
	}
	if err != nil {
		return Archive{}, fmt.Errorf("open image %s: is it an OCI layout or a tar file of one? %w", path, err)
	}
	archive.images, err = named(content)
	if err != nil {
		return Archive{}, fmt.Errorf("open image %s: %w", path, err)
	}
	return archive, nil
}

// Images returns the named images of the archive.
func (a Archive) Images() []Image { return a.images }

// named returns the images that an index.json names.
func named(content []byte) ([]Image, error) {
	var index v1.IndexManifest
	if err := json.Unmarshal(content, &index); err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	var images []Image
	for _, manifest := range index.Manifests {
		if name := manifest.Annotations[NameAnnotation]; name != "" {
			images = append(images, Image{Name: name, Digest: manifest.Digest.String()})
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("read index.json: no manifest has the annotation %s", NameAnnotation)
	}
	return images, nil
}

// write writes the archive as a tar stream that holds what the platform
// needs. A tar file is passed on as it is.
func (a Archive) write(target io.Writer, platform v1.Platform) error {
	if !a.directory {
		file, err := os.Open(a.path)
		if err != nil {
			return fmt.Errorf("read image: %w", err)
		}
		defer file.Close()
		if _, err := io.Copy(target, file); err != nil {
			return fmt.Errorf("read image %s: %w", a.path, err)
		}
		return nil
	}
	blobs, err := reachable(a.path, platform)
	if err != nil {
		return fmt.Errorf("read image %s: %w", a.path, err)
	}
	writer := tar.NewWriter(target)
	for _, name := range append([]string{"oci-layout", "index.json"}, blobs...) {
		if err := addFile(writer, a.path, name); err != nil {
			return fmt.Errorf("read image %s: %w", a.path, err)
		}
	}
	if err := writer.Close(); err != nil {
		return fmt.Errorf("read image %s: %w", a.path, err)
	}
	return nil
}

// reachable returns the blobs of a layout that one platform needs, each once.
func reachable(directory string, platform v1.Platform) ([]string, error) {
	content, err := os.ReadFile(filepath.Join(directory, "index.json"))
	if err != nil {
		return nil, err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(content, &index); err != nil {
		return nil, err
	}
	walk := walk{directory: directory, platform: platform, seen: map[string]bool{}}
	if err := walk.index(index); err != nil {
		return nil, err
	}
	return walk.blobs, nil
}

type walk struct {
	directory string
	platform  v1.Platform
	seen      map[string]bool
	blobs     []string
}

func (w *walk) index(index v1.IndexManifest) error {
	for _, entry := range index.Manifests {
		if entry.Platform != nil && entry.Platform.Architecture != "" && !entry.Platform.Satisfies(w.platform) {
			continue
		}
		content, err := w.read(entry)
		if err != nil {
			return err
		}
		if entry.MediaType.IsIndex() {
			var nested v1.IndexManifest
			if err := json.Unmarshal(content, &nested); err != nil {
				return err
			}
			if err := w.index(nested); err != nil {
				return err
			}
			continue
		}
		var manifest v1.Manifest
		if err := json.Unmarshal(content, &manifest); err != nil {
			return err
		}
		w.add(manifest.Config)
		for _, layer := range manifest.Layers {
			w.add(layer)
		}
	}
	return nil
}

func (w *walk) read(descriptor v1.Descriptor) ([]byte, error) {
	return os.ReadFile(filepath.Join(w.directory, w.add(descriptor)))
}

func (w *walk) add(descriptor v1.Descriptor) string {
	name := path.Join("blobs", descriptor.Digest.Algorithm, descriptor.Digest.Hex)
	if !w.seen[name] {
		w.seen[name] = true
		w.blobs = append(w.blobs, name)
	}
	return name
}

func addFile(writer *tar.Writer, directory, name string) error {
	file, err := os.Open(filepath.Join(directory, name))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: 0o644, Size: info.Size(), Typeflag: tar.TypeReg}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(writer, file)
	return err
}

func fromTar(file, name string) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	reader := tar.NewReader(opened)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("it holds no %s", name)
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimPrefix(header.Name, "./") == name {
			return io.ReadAll(reader)
		}
	}
}
