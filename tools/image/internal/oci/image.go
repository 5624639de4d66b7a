package oci

import (
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// Layer is one uncompressed layer that lies in a file.
type Layer struct {
	tree.Layer
	// Path is the tar file. It must not change while the layer is in use.
	Path string
	// Comment says in the image's history what the layer holds.
	Comment string
}

// Contents is what an image consists of, apart from its platform.
type Contents struct {
	// User is the user and group that its processes run as; empty is root.
	User string
	// Entrypoint and Command are what a container runs.
	Entrypoint, Command []string
	// Labels are also the annotations of the index.
	Labels map[string]string
	// Created is the time that the image names; it is part of its digest.
	Created time.Time
}

// Part is an image's layers for one platform, lowest first.
type Part struct {
	// Arch is Go's and OCI's name of the architecture.
	Arch string
	// Layers are applied in order.
	Layers []Layer
}

// fileLayer makes a Layer usable as a v1.Layer.
type fileLayer struct{ Layer }

func (l fileLayer) Digest() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: l.Layer.Digest}, nil
}
func (l fileLayer) DiffID() (v1.Hash, error)             { return l.Digest() }
func (l fileLayer) Compressed() (io.ReadCloser, error)   { return os.Open(l.Path) }
func (l fileLayer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.Path) }
func (l fileLayer) Size() (int64, error)                 { return l.Layer.Size, nil }
func (l fileLayer) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }

// Assemble makes an image for each part and joins them to one index. Equal
// input gives an equal digest.
func Assemble(contents Contents, parts ...Part) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, part := range parts {
		image, err := contents.image(part)
		if err != nil {
			return nil, fmt.Errorf("assemble image for linux/%s: %w", part.Arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: part.Arch}},
		})
	}
	annotated, ok := mutate.Annotations(index, contents.Labels).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("annotate index: unexpected type")
	}
	return annotated, nil
}

func (c Contents) image(part Part) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, layer := range part.Layers {
		var err error
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:     fileLayer{layer},
			MediaType: types.OCIUncompressedLayer,
			History:   v1.History{Created: v1.Time{Time: c.Created}, CreatedBy: layer.Comment},
		})
		if err != nil {
			return nil, err
		}
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", part.Arch, v1.Time{Time: c.Created}
	file.Config = v1.Config{
		User: c.User, Entrypoint: c.Entrypoint, Cmd: c.Command, Labels: c.Labels, WorkingDir: "/",
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}
	return mutate.ConfigFile(image, file)
}
