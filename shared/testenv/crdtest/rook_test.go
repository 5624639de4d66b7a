package crdtest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// manifests gives the documents of every file of testdata/rook, by file.
func manifests(t *testing.T) map[string][][]byte {
	t.Helper()
	return documents(t, filepath.Join("testdata", "rook", "*.yaml"))
}

// documents gives the documents of the files that match, by file.
func documents(t *testing.T, pattern string) map[string][][]byte {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests match %s (%v)", pattern, err)
	}
	all := map[string][][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(body)))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all[file] = append(all[file], document)
		}
	}
	return all
}

func TestManifestsForRookDecodeWithoutAnUnknownField(t *testing.T) {
	for file, documents := range manifests(t) {
		for _, document := range documents {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, &object.Object); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			into, err := testenv.Scheme().New(object.GroupVersionKind())
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if err := yaml.UnmarshalStrict(document, into); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestManifestsForRookSurviveARoundTrip(t *testing.T) {
	for file, documents := range manifests(t) {
		for _, document := range documents {
			var first, second api.CephCluster
			if !bytes.Contains(document, []byte("kind: CephCluster")) {
				continue
			}
			if err := yaml.Unmarshal(document, &first); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			body, err := yaml.Marshal(first)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if err := yaml.UnmarshalStrict(body, &second); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			again, err := yaml.Marshal(second)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if !bytes.Equal(body, again) {
				t.Errorf("%s changes on a round trip:\n%s\n---\n%s", file, body, again)
			}
		}
	}
}
