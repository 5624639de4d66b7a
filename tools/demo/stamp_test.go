package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPodsAreStampedWithWhatTheirImageHolds(t *testing.T) {
	dir := t.TempDir()
	stampOf := func(index string) any {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "discover.tar"), layout(t, index), 0o600); err != nil {
			t.Fatal(err)
		}
		values := map[string]any{"global": map[string]any{}, "discover": map[string]any{}, "osd-manager": map[string]any{}}
		if err := stampImages(values, dir); err != nil {
			t.Fatal(err)
		}
		if unbuilt, _ := values["osd-manager"].(map[string]any); len(unbuilt) > 0 {
			t.Errorf("a service without an image got %v", unbuilt)
		}
		discover, _ := values["discover"].(map[string]any)
		annotations, _ := discover["podAnnotations"].(map[string]any)
		return annotations[imageAnnotation]
	}
	one, again, other := stampOf(`{"a":1}`), stampOf(`{"a":1}`), stampOf(`{"a":2}`)
	if one == nil || one != again || one == other {
		t.Errorf("stamps are %v, %v and %v", one, again, other)
	}
}

func TestAFileThatIsNoImageIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "discover.tar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := stampImages(map[string]any{"discover": map[string]any{}}, dir); err == nil {
		t.Error("an empty file passed for an image")
	}
}

func layout(t *testing.T, index string) []byte {
	t.Helper()
	var body bytes.Buffer
	archive := tar.NewWriter(&body)
	for _, file := range []struct{ name, content string }{{"oci-layout", "{}"}, {"index.json", index}} {
		if err := archive.WriteHeader(&tar.Header{Name: file.name, Size: int64(len(file.content)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(file.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}
