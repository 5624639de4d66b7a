package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// Unpack writes the file system that a container of the image would see, for
// one architecture, into an empty directory. It needs root.
func Unpack(ctx context.Context, file, arch, dir string) (err error) {
	work, err := os.MkdirTemp("", "image-unpack-")
	if err != nil {
		return fmt.Errorf("create directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	index, err := Unarchive(file, work)
	if err != nil {
		return err
	}
	image, err := imageFor(index, arch)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", file, err)
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for i, layer := range layers {
		name := filepath.Join(work, fmt.Sprintf("layer-%d.tar", i))
		if err := save(layer, name); err != nil {
			return fmt.Errorf("read layer %d of %s: %w", i, file, err)
		}
		if err := tree.Unpack(ctx, name, dir); err != nil {
			return err
		}
	}
	return nil
}

func imageFor(index v1.ImageIndex, arch string) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, descriptor := range manifest.Manifests {
		if descriptor.Platform != nil && descriptor.Platform.Architecture == arch {
			return index.Image(descriptor.Digest)
		}
	}
	return nil, fmt.Errorf("it has no image for linux/%s", arch)
}

func save(layer v1.Layer, name string) (err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return errors.Join(err, out.Close())
}
