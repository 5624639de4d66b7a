package recipe

import (
	"fmt"
	"sort"
	"strings"
)

// Recipe says how one pinned module becomes programs.
type Recipe struct {
	// Name chooses the recipe and is its directory below tools/pinned.
	Name string
	// Programs maps each program to the package that it is built from.
	Programs map[string]string
	// Aliases maps further names to the program that serves them.
	Aliases map[string]string
	// Files maps files to where their contents are.
	Files map[string]Source `json:",omitempty"`
	// Tags are build tags.
	Tags []string
	// Variables are set at link time, as importpath.name=value.
	Variables []string
	// About is one line for people.
	About string
}

// Source is a file of a module that the recipe's module requires.
type Source struct{ Module, Path string }

// All returns every recipe, sorted by name.
func All() []Recipe {
	recipes := append(clusterRecipes(), developerRecipes()...)
	sort.Slice(recipes, func(i, j int) bool { return recipes[i].Name < recipes[j].Name })
	return recipes
}

// Cluster returns the names of the recipes that a local cluster needs.
func Cluster() []string {
	names := make([]string, 0, len(clusterRecipes()))
	for _, recipe := range clusterRecipes() {
		names = append(names, recipe.Name)
	}
	return names
}

// Find returns the recipe of that name. The error of an unknown one lists
// those that exist.
func Find(name string) (Recipe, error) {
	names := make([]string, 0, len(All()))
	for _, recipe := range All() {
		if recipe.Name == name {
			return recipe, nil
		}
		names = append(names, recipe.Name)
	}
	return Recipe{}, fmt.Errorf("find pinned tool %q: there are %s", name, strings.Join(names, ", "))
}

func clusterRecipes() []Recipe {
	const kubernetes = "v1.36.3"
	return []Recipe{
		{
			Name:     "kube",
			About:    "Kubernetes " + kubernetes + ": control plane, kubelet, kube-proxy and kubectl in one binary (about 6 minutes on 2 cores)",
			Programs: map[string]string{"kube": "."},
			Aliases: map[string]string{
				"kube-apiserver": "kube", "kube-controller-manager": "kube", "kube-scheduler": "kube",
				"kubelet": "kube", "kube-proxy": "kube", "kubectl": "kube",
			},
			Variables: []string{
				"k8s.io/component-base/version.gitVersion=" + kubernetes,
				"k8s.io/client-go/pkg/version.gitVersion=" + kubernetes,
			},
		},
		{
			Name:     "etcd",
			About:    "etcd 3.6.5",
			Programs: map[string]string{"etcd": "go.etcd.io/etcd/server/v3"},
		},
		{
			Name:  "containerd",
			About: "containerd 2.4.2 with its shim and ctr",
			Programs: map[string]string{
				"containerd":              "github.com/containerd/containerd/v2/cmd/containerd",
				"containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
				"ctr":                     "github.com/containerd/containerd/v2/cmd/ctr",
			},
			Tags: []string{"no_btrfs", "no_devmapper"},
			Variables: []string{
				"github.com/containerd/containerd/v2/version.Version=v2.4.2",
			},
		},
		{
			Name:     "coredns",
			About:    "CoreDNS 1.13.1 with the plugins of the local cluster",
			Programs: map[string]string{"coredns": "."},
		},
		snapshotRecipe(),
		{
			Name:     "pause",
			About:    "the process that holds a pod's namespaces",
			Programs: map[string]string{"pause": "."},
		},
	}
}

func snapshotRecipe() Recipe {
	recipe := Recipe{
		Name:     "snapshot-controller",
		About:    "snapshot-controller 8.4.0 with the definitions of its kinds",
		Programs: map[string]string{"snapshot-controller": "github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller"},
		Files:    map[string]Source{},
		Variables: []string{
			"main.version=v8.4.0",
		},
	}
	for _, kind := range []string{"volumesnapshotclasses", "volumesnapshotcontents", "volumesnapshots"} {
		recipe.Files[kind+".yaml"] = Source{
			Module: "github.com/kubernetes-csi/external-snapshotter/client/v8", Path: "config/crd/snapshot.storage.k8s.io_" + kind + ".yaml",
		}
	}
	return recipe
}

func developerRecipes() []Recipe {
	return []Recipe{
		{
			Name:     "golangci-lint",
			About:    "golangci-lint 2.13.1",
			Programs: map[string]string{"golangci-lint": "github.com/golangci/golangci-lint/v2/cmd/golangci-lint"},
			Variables: []string{
				"main.version=2.13.1",
			},
		},
		{
			Name:     "controller-gen",
			About:    "controller-gen 0.21.0",
			Programs: map[string]string{"controller-gen": "sigs.k8s.io/controller-tools/cmd/controller-gen"},
			Variables: []string{
				"sigs.k8s.io/controller-tools/pkg/version.version=v0.21.0",
			},
		},
		{
			Name:     "helm",
			About:    "Helm 3.21.4",
			Programs: map[string]string{"helm": "helm.sh/helm/v3/cmd/helm"},
			Variables: []string{
				"helm.sh/helm/v3/internal/version.version=v3.21.4",
				"helm.sh/helm/v3/internal/version.metadata=",
			},
		},
	}
}
