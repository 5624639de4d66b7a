package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

func TestMadeImageStartsItsProgram(t *testing.T) {
	directory := makeImage(t)
	path, err := layout.FromPath(directory)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	made, err := path.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	file, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(file.Config.Entrypoint, []string{"/tool"}) || file.OS != "linux" || file.Architecture == "" {
		t.Errorf("config = %+v of %s/%s", file.Config, file.OS, file.Architecture)
	}
	layers, err := made.Layers()
	if err != nil {
		t.Fatal(err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	header, err := tar.NewReader(content).Next()
	if err != nil {
		t.Fatal(err)
	}
	if header.Name != "tool" || header.Mode != 0o755 {
		t.Errorf("file %s has mode %o, want tool with 755", header.Name, header.Mode)
	}
}

func TestTheSameProgramMakesTheSameImage(t *testing.T) {
	one, err := Open(makeImage(t))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(makeImage(t))
	if err != nil {
		t.Fatal(err)
	}
	if one.Images()[0] != other.Images()[0] {
		t.Errorf("images differ: %v and %v", one.Images()[0], other.Images()[0])
	}
}

func TestATarOfALayoutHoldsTheSameImages(t *testing.T) {
	archive, err := Open(makeImage(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	var packed bytes.Buffer
	if err := archive.write(&packed, v1.Platform{OS: "linux", Architecture: "amd64"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	fromTar, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(archive.Images(), fromTar.Images()) {
		t.Errorf("images of the tar = %v, want %v", fromTar.Images(), archive.Images())
	}
}

func TestOnlyTheBlobsOfOnePlatformAreSent(t *testing.T) {
	directory := t.TempDir()
	var index v1.ImageIndex = empty.Index
	for _, architecture := range []string{"amd64", "arm64"} {
		image, err := random.Image(64, 2)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	path, err := layout.Write(directory, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{NameAnnotation: "localhost/both:1"})); err != nil {
		t.Fatal(err)
	}
	archive, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := archive.write(&packed, v1.Platform{OS: "linux", Architecture: "arm64"}); err != nil {
		t.Fatal(err)
	}
	// The nested index, one manifest, one config and two layers.
	if got := blobs(t, &packed); got != 5 {
		t.Errorf("%d blobs were sent, want 5", got)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	unnamed := t.TempDir()
	if _, err := layout.Write(unnamed, empty.Index); err != nil {
		t.Fatal(err)
	}
	notTar := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(notTar, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		unnamed: NameAnnotation, notTar: "OCI layout", "/does/not/exist": "no such file",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s) = %v, want mention of %q", path, err, want)
		}
	}
}

func TestParseListReadsReferencesAndDigests(t *testing.T) {
	table := "REF TYPE DIGEST SIZE PLATFORMS LABELS\n" +
		"localhost/a:1 application/vnd.oci.image.manifest.v1+json sha256:aa 1.0 MiB linux/amd64 -\n"
	images := parseList(table)
	if !images[Image{Name: "localhost/a:1", Digest: "sha256:aa"}] || len(images) != 1 {
		t.Errorf("images = %v", images)
	}
}

func makeImage(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(program, []byte("#!/bin/true\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	directory := filepath.Join(t.TempDir(), "layout")
	for range 2 {
		if err := Make(directory, "localhost/tool:1", program); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func blobs(t *testing.T, packed io.Reader) int {
	t.Helper()
	reader := tar.NewReader(packed)
	count := 0
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(header.Name, "blobs/") {
			count++
		}
	}
}

func TestCephIsAlsoKnownByItsUsualName(t *testing.T) {
	for name, want := range map[string]string{
		"localhost/rook-ceph/ceph:v18.2.7":    "quay.io/ceph/ceph:v18.2.7",
		"localhost/rook-ceph/ceph:reef":       "",
		"localhost/rook-ceph/mds-manager:dev": "",
		"quay.io/ceph/ceph:v18.2.7":           "",
	} {
		if got := (Image{Name: name}).alias(); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
