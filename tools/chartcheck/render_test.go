package chartcheck

import (
	"io"
	"log"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// render returns the objects and the notes of a chart, or the error of Helm.
func render(t *testing.T, chart string, values map[string]any) ([]unstructured.Unstructured, string, error) {
	t.Helper()
	before := log.Writer()
	log.SetOutput(io.Discard) // the loader names each symbolic link
	defer log.SetOutput(before)
	loaded, err := loader.Load(filepath.Join("..", "..", "charts", chart))
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.DryRun, install.ClientOnly, install.ReleaseName, install.Namespace = true, true, chart, "rook-ceph"
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	release, err := install.RunWithContext(t.Context(), loaded, values)
	if err != nil {
		return nil, "", err
	}
	var objects []unstructured.Unstructured
	for _, document := range strings.Split(release.Manifest, "\n---\n") {
		content := map[string]any{}
		if err := yaml.Unmarshal([]byte(document), &content); err != nil {
			t.Fatalf("parse manifest: %v\n%s", err, document)
		}
		if len(content) > 0 {
			objects = append(objects, unstructured.Unstructured{Object: content})
		}
	}
	return objects, release.Info.Notes, nil
}

// mustRender is render where the chart has to render.
func mustRender(t *testing.T, chart string, values map[string]any) []unstructured.Unstructured {
	t.Helper()
	objects, _, err := render(t, chart, values)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// as converts an object to its Go type.
func as[T any](t *testing.T, object unstructured.Unstructured) *T {
	t.Helper()
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
	return typed
}

// ofKind returns the objects of a kind.
func ofKind(objects []unstructured.Unstructured, kind string) []unstructured.Unstructured {
	var found []unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() == kind {
			found = append(found, object)
		}
	}
	return found
}
