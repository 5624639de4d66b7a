package testenv

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/crds"
)

// CRDs gives the CustomResourceDefinitions of this repository, by file name.
func CRDs() (map[string]*unstructured.Unstructured, error) {
	names, err := fs.Glob(crds.FS, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list CRDs: %w", err)
	}
	all := map[string]*unstructured.Unstructured{}
	for _, name := range names {
		text, err := crds.FS.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read CRD: %w", err)
		}
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &crd.Object); err != nil {
			return nil, fmt.Errorf("decode CRD %s: %w", name, err)
		}
		all[name] = crd
	}
	return all, nil
}

// installCRDs creates the CRDs and waits until the API server serves them.
func installCRDs(ctx context.Context, config *rest.Config) error {
	all, err := CRDs()
	if err != nil {
		return err
	}
	c, err := client.New(config, client.Options{Scheme: runtime.NewScheme()})
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	for name, crd := range all {
		if err := c.Create(ctx, crd); err != nil {
			return fmt.Errorf("install %s: %w", name, err)
		}
	}
	for name, crd := range all {
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
			if err := c.Get(ctx, client.ObjectKeyFromObject(crd), crd); err != nil {
				return false, err
			}
			return established(crd), nil
		})
		if err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
	}
	return nil
}

// established tells whether a CRD is served.
func established(crd *unstructured.Unstructured) bool {
	conditions, _, err := unstructured.NestedSlice(crd.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, item := range conditions {
		c, ok := item.(map[string]any)
		if ok && c["type"] == "Established" && c["status"] == "True" {
			return true
		}
	}
	return false
}
