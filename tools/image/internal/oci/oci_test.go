package oci

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

var epoch = time.Unix(0, 0).UTC()

// programLayer writes a layer with one program whose content is text.
func programLayer(t *testing.T, text string) Layer {
	t.Helper()
	from := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(from, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := from + ".tar"
	layer, err := tree.Programs(out, epoch, []tree.Program{{From: from, To: "usr/local/bin/program"}})
	if err != nil {
		t.Fatal(err)
	}
	return Layer{Layer: layer, Path: out, Comment: text}
}

func contentsOf(version string) Contents {
	return Contents{
		User: "65532:65532", Entrypoint: []string{"/usr/local/bin/program"}, Created: epoch,
		Labels: map[string]string{"org.opencontainers.image.version": version},
	}
}

func assemble(t *testing.T, text string) v1.ImageIndex {
	t.Helper()
	shared := programLayer(t, "shared")
	index, err := Assemble(contentsOf("v1"),
		Part{Arch: "amd64", Layers: []Layer{shared, programLayer(t, text+" amd64")}},
		Part{Arch: "arm64", Layers: []Layer{shared, programLayer(t, text+" arm64")}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func members(t *testing.T, file string) map[string][]byte {
	t.Helper()
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	found := map[string][]byte{}
	for reader := tar.NewReader(opened); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[header.Name] != nil {
			t.Errorf("%s is in the archive twice", header.Name)
		}
		if found[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWriteArchiveIsAValidLayout(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "images", "program.tar")
	if _, err := WriteArchive(file, assemble(t, "x"), "localhost/rook-ceph/program:dev", "localhost/rook-ceph/program:v1"); err != nil {
		t.Fatal(err)
	}
	found := members(t, file)
	t.Run("it has the layout marker", func(t *testing.T) {
		t.Parallel()
		if got := string(found["oci-layout"]); got != `{"imageLayoutVersion":"1.0.0"}` {
			t.Errorf("got %s", got)
		}
	})
	t.Run("every blob is named by its digest", func(t *testing.T) {
		t.Parallel()
		blobs := 0
		for member, data := range found {
			if !strings.HasPrefix(member, "blobs/sha256/") {
				continue
			}
			blobs++
			if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != path.Base(member) {
				t.Errorf("%s has another content", member)
			}
		}
		// One index, two manifests, two configurations, three layers.
		if blobs != 8 {
			t.Errorf("got %d blobs, want 8", blobs)
		}
	})
	t.Run("index.json names the image for containerd", func(t *testing.T) {
		t.Parallel()
		var top v1.IndexManifest
		if err := json.Unmarshal(found["index.json"], &top); err != nil {
			t.Fatal(err)
		}
		var got []map[string]string
		for _, descriptor := range top.Manifests {
			if descriptor.MediaType != types.OCIImageIndex || int(descriptor.Size) != len(found[blobName(descriptor.Digest)]) {
				t.Errorf("the descriptor of %s is wrong", descriptor.Digest)
			}
			got = append(got, descriptor.Annotations)
		}
		want := []map[string]string{
			{annotationName: "localhost/rook-ceph/program:dev", annotationRef: "dev"},
			{annotationName: "localhost/rook-ceph/program:v1", annotationRef: "v1"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("it tells its names, platforms and labels", func(t *testing.T) {
		t.Parallel()
		got, err := Inspect(file)
		if err != nil {
			t.Fatal(err)
		}
		want := Stored{
			Names:     []string{"localhost/rook-ceph/program:dev", "localhost/rook-ceph/program:v1"},
			Digest:    got.Digest,
			Platforms: []string{"linux/amd64", "linux/arm64"},
			Labels:    map[string]string{"org.opencontainers.image.version": "v1"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAssembleDescribesTheImage(t *testing.T) {
	t.Parallel()
	index := assemble(t, "x")
	for _, arch := range []string{"amd64", "arm64"} {
		image, err := imageFor(index, arch)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Architecture != arch || config.OS != "linux" || config.Config.User != "65532:65532" || !config.Created.Equal(epoch) {
			t.Errorf("%s: got %s/%s for user %s of %v", arch, config.OS, config.Architecture, config.Config.User, config.Created)
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for i, layer := range layers {
			digest, err := layer.Digest()
			if err != nil {
				t.Fatal(err)
			}
			if mediaType, err := layer.MediaType(); err != nil || mediaType != types.OCIUncompressedLayer || config.RootFS.DiffIDs[i] != digest {
				t.Errorf("%s layer %d: got %s (%v) with digest %s, want %s", arch, i, mediaType, err, digest, config.RootFS.DiffIDs[i])
			}
		}
		if len(layers) != 2 || len(config.History) != 2 {
			t.Errorf("%s: got %d layers and %d lines of history, want 2 each", arch, len(layers), len(config.History))
		}
	}
	if _, err := imageFor(index, "s390x"); err == nil {
		t.Error("an image for a platform that was not built was found")
	}
}

func TestWriteArchiveLeavesAnEqualFileAlone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "program.tar")
	write := func(text string, names ...string) bool {
		t.Helper()
		changed, err := WriteArchive(file, assemble(t, text), names...)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	for _, step := range []struct {
		what, text string
		names      []string
		want       bool
	}{
		{"the first time", "x", []string{"localhost/p:dev"}, true},
		{"the same again", "x", []string{"localhost/p:dev"}, false},
		{"another program", "y", []string{"localhost/p:dev"}, true},
		{"another name", "y", []string{"localhost/p:v2"}, true},
	} {
		if got := write(step.text, step.names...); got != step.want {
			t.Errorf("%s: changed is %v, want %v", step.what, got, step.want)
		}
	}
	if err := os.WriteFile(file, []byte("not a tar file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !write("y", "localhost/p:v2") {
		t.Error("a broken file was taken for the image")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files stayed: %v (%v)", left, err)
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	file := filepath.Join(t.TempDir(), "program.tar")
	if _, err := WriteArchive(file, assemble(t, "x"), "localhost/rook-ceph/program:dev"); err != nil {
		t.Fatal(err)
	}
	pushed, err := Push(t.Context(), file, host+"/team/", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{host + "/team/rook-ceph/program:dev"}, pushed); diff != "" {
		t.Fatal(diff)
	}
	reference, err := name.ParseReference(pushed[0])
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference)
	if err != nil {
		t.Fatal(err)
	}
	image, err := imageFor(index, "arm64")
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for i, layer := range layers {
		mediaType, err := layer.MediaType()
		if err != nil || mediaType != types.OCILayer {
			t.Errorf("layer %d is %s (%v), want it compressed", i, mediaType, err)
		}
		if diffID, err := layer.DiffID(); err != nil || diffID != config.RootFS.DiffIDs[i] {
			t.Errorf("layer %d unpacks to %s (%v), want %s", i, diffID, err, config.RootFS.DiffIDs[i])
		}
	}
	manifest, err := index.IndexManifest()
	if err != nil || manifest.Annotations["org.opencontainers.image.version"] != "v1" {
		t.Errorf("the index lost its annotations: %v (%v)", manifest, err)
	}
}

func TestTagOf(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{"localhost/a/b:dev": "dev", "localhost:5000/a/b": "latest", "a": "latest"} {
		if got := tagOf(image); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
}
