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
			if checks := service.Checks(debian.Platform{Arch: "amd64"}); checks[0].Command[0] != "/usr/local/bin/"+service.Name {
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
	entries := map[string]string{}
	for _, arch := range []string{"amd64", "arm64"} {
		platform := debian.Platform{Arch: arch}
		recipes := []debian.Recipe{Sysroot()}
		for _, base := range []Base{Rados, Node} {
			recipe, err := BaseRecipe(base, platform)
			if err != nil {
				t.Fatal(err)
			}
			recipes = append(recipes, recipe)
		}
		for _, release := range Releases() {
			recipes = append(recipes, release.Recipe(platform))
		}
		for _, recipe := range recipes {
			entry, err := debian.Entry(recipe, platform)
			if err != nil {
				t.Fatal(err)
			}
			if other, taken := entries[entry]; taken {
				t.Errorf("%s and %s share the entry %s", recipe.Name, other, entry)
			}
			entries[entry] = recipe.Name
			if got := slices.Contains(recipe.Packages, cephFuse); got && arch == "arm64" {
				t.Errorf("%s for arm64 asks for %s, which Debian has not", recipe.Name, cephFuse)
			}
		}
	}
	for _, base := range []Base{Empty, "alpine"} {
		if _, err := BaseRecipe(base, debian.Platform{Arch: "amd64"}); err == nil {
			t.Errorf("base %s has a recipe", base)
		}
	}
}
