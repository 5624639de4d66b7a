package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Push uploads the image in a file under all its names, with the first part of
// each name replaced by the registry, which may have a path. Credentials are
// those of the user's docker configuration. It returns the references.
func Push(ctx context.Context, file, registry string, options ...name.Option) (pushed []string, err error) {
	stored, err := Inspect(file)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "image-push-")
	if err != nil {
		return nil, fmt.Errorf("create directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	index, err := Unarchive(file, dir)
	if err != nil {
		return nil, err
	}
	packed, err := compress(index)
	if err != nil {
		return nil, fmt.Errorf("compress %s: %w", file, err)
	}
	for _, local := range stored.Names {
		_, rest, _ := strings.Cut(local, "/")
		reference, err := name.ParseReference(strings.TrimRight(registry, "/")+"/"+rest, options...)
		if err != nil {
			return pushed, fmt.Errorf("name image %s: %w", local, err)
		}
		if err := remote.WriteIndex(reference, packed, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return pushed, fmt.Errorf("push %s: %w", reference, err)
		}
		pushed = append(pushed, reference.String())
	}
	return pushed, nil
}

// compress returns the same images with gzip layers.
func compress(index v1.ImageIndex) (v1.ImageIndex, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	packed := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, descriptor := range manifest.Manifests {
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			return nil, err
		}
		if image, err = compressImage(image); err != nil {
			return nil, err
		}
		packed = mutate.AppendManifests(packed, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: descriptor.Platform},
		})
	}
	annotated, ok := mutate.Annotations(packed, manifest.Annotations).(v1.ImageIndex)
	if !ok {
		return nil, errors.New("annotate index: unexpected type")
	}
	return annotated, nil
}

func compressImage(image v1.Image) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	packed := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for i, layer := range layers {
		small, err := tarball.LayerFromOpener(layer.Uncompressed, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
		packed, err = mutate.Append(packed, mutate.Addendum{Layer: small, MediaType: types.OCILayer, History: config.History[i]})
		if err != nil {
			return nil, err
		}
	}
	return mutate.ConfigFile(packed, config)
}
