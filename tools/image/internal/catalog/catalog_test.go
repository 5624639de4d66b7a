package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
)

func TestServices(t *testing.T) {
	t.Parallel()
	services := Services()
	if !slices.IsSortedFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("services are not sorted by name")
	}
	for _, service := range services {
		t.Run(service.Name, func(t *testing.T) {
			t.Parallel()
			first := service.Programs[0]
			if first.Name != service.Name || first.Module != "services/"+service.Name {
				t.Errorf("the first program is %s of %s, want the service itself", first.Name, first.Module)
			}
			if first.Librados != (service.Base != Empty) {
				t.Errorf("librados is %v on base %s", first.Librados, service.Base)
			}
			seen := map[string]bool{}
			for _, program := range service.Programs {
				if seen[program.Name] {
					t.Errorf("program %s is there twice", program.Name)
				}
				seen[program.Name] = true
				if program.Name != service.Name && program.Librados {
					t.Errorf("extra program %s is not static", program.Name)
				}
			}
			if checks := service.Checks(); checks[0].Command[0] != "/usr/local/bin/"+service.Name {
				t.Errorf("the first check runs %s, want the service itself", checks[0].Command[0])
			}
			if service.Description == "" {
				t.Error("the description is empty")
			}
		})
	}
}

func TestFindService(t *testing.T) {
	t.Parallel()
	if service, err := FindService("node-agent"); err != nil || service.Base != Node {
		t.Errorf("got base %q and error %v, want %q", service.Base, err, Node)
	}
	if _, err := FindService("operator"); err == nil || !strings.Contains(err.Error(), "mon-manager") {
		t.Errorf("got error %v, want one that names the services", err)
	}
}

func TestFindRelease(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"18.2.7": "reef", "v18.2.4": "reef", "18": "reef", "reef": "reef", "20.2.4": "tentacle", "20.2.9": "tentacle",
		"19.2.0": "", "": "", "squid": "", "1": "",
	} {
		release, err := FindRelease(version)
		if release.Series != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q and error %v, want %q", version, release.Series, err, want)
		}
	}
}

func TestRecipesAreDistinct(t *testing.T) {
	t.Parallel()
	recipes := []debian.Recipe{Sysroot()}
	for _, base := range []Base{Rados, Node} {
		recipe, err := BaseRecipe(base)
		if err != nil {
			t.Fatal(err)
		}
		recipes = append(recipes, recipe)
	}
	for _, release := range Releases() {
		recipes = append(recipes, release.Recipe)
	}
	entries := map[string]string{}
	for _, recipe := range recipes {
		for _, arch := range []string{"amd64", "arm64"} {
			entry, err := debian.Entry(recipe, debian.Platform{Arch: arch})
			if err != nil {
				t.Fatal(err)
			}
			if other, taken := entries[entry]; taken {
				t.Errorf("%s and %s share the entry %s", recipe.Name, other, entry)
			}
			entries[entry] = recipe.Name
		}
	}
	for _, base := range []Base{Empty, "alpine"} {
		if _, err := BaseRecipe(base); err == nil {
			t.Errorf("base %s has a recipe", base)
		}
	}
}
