package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/compile"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
)

// Repository is the prefix of all image names. It names no registry; pushing
// replaces the first part.
const Repository = "localhost/rook-ceph"

// Nonroot is the user and group of images whose pods do not say otherwise.
const Nonroot = "65532:65532"

// Base names what is below a service's programs.
type Base string

// Bases of service images.
const (
	// Empty holds a user table and directories, for programs without cgo.
	Empty Base = "empty"
	// Rados holds the Ceph client libraries.
	Rados Base = "rados"
	// Node holds these and the programs that attach and mount volumes.
	Node Base = "node"
)

// Service is a service image.
type Service struct {
	// Name is the image's name; its first program has the same.
	Name string
	// Base is the lower layer.
	Base Base
	// Programs are put into /usr/local/bin; the first is the entry point.
	Programs []compile.Program
	// Description is one sentence for people.
	Description string
}

// Services returns all service images, sorted by name.
func Services() []Service {
	cephlet := compile.Program{Name: "cephlet", Module: "shared", Package: "cmd/cephlet"}
	return []Service{
		{
			Name: "discover", Base: Empty, Programs: []compile.Program{pure("discover")},
			Description: "Reports the disks of a node.",
		},
		{
			Name: "mds-manager", Base: Rados, Programs: []compile.Program{ceph("mds-manager"), cephlet},
			Description: "Runs Ceph file systems.",
		},
		{
			Name: "mon-manager", Base: Rados, Programs: []compile.Program{ceph("mon-manager"), cephlet},
			Description: "Runs Ceph monitors and managers.",
		},
		{
			Name: "node-agent", Base: Node, Programs: []compile.Program{ceph("node-agent")},
			Description: "Attaches and mounts volumes on a node.",
		},
		{
			Name: "osd-manager", Base: Rados,
			Programs: []compile.Program{
				ceph("osd-manager"), cephlet,
				{Name: "osd-prepare", Module: "services/osd-manager", Package: "cmd/osd-prepare"},
			},
			Description: "Turns disks into Ceph OSDs.",
		},
		{
			Name: "provisioner", Base: Rados, Programs: []compile.Program{ceph("provisioner")},
			Description: "Keeps pools and provisions volumes.",
		},
		{
			Name: "rgw-manager", Base: Rados,
			Programs: []compile.Program{
				ceph("rgw-manager"), cephlet,
				{Name: "rgw-setup", Module: "services/rgw-manager", Package: "cmd/rgw-setup"},
			},
			Description: "Runs Ceph object stores.",
		},
	}
}

func pure(name string) compile.Program {
	return compile.Program{Name: name, Module: "services/" + name, Package: "."}
}

func ceph(name string) compile.Program {
	return compile.Program{Name: name, Module: "services/" + name, Package: ".", Librados: true}
}

// FindService returns a service by name.
func FindService(name string) (Service, error) {
	var names []string
	for _, service := range Services() {
		if service.Name == name {
			return service, nil
		}
		names = append(names, service.Name)
	}
	return Service{}, fmt.Errorf("service %q is none of %s", name, strings.Join(names, ", "))
}

// Release is a line of Ceph releases that an image is made of.
type Release struct {
	// Series is Ceph's name of the line.
	Series string
	// Version is the version that Debian carried last time we looked.
	Version string
	// Suite is the Debian release that carries the line.
	Suite string
}

// Releases returns all Ceph releases, oldest first.
func Releases() []Release {
	return []Release{
		{Series: "reef", Version: "18.2.7", Suite: "trixie"},
		{Series: "tentacle", Version: "20.2.4", Suite: "forky"},
	}
}

// FindRelease returns the release line that a version such as 18.2.7, v18 or
// reef belongs to.
func FindRelease(version string) (Release, error) {
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	var known []string
	for _, release := range Releases() {
		ours, _, _ := strings.Cut(release.Version, ".")
		if version == release.Series || major == ours {
			return release, nil
		}
		known = append(known, release.Version+" ("+release.Series+")")
	}
	return Release{}, fmt.Errorf("ceph version %q is of none of the lines %s", version, strings.Join(known, ", "))
}

// BaseRecipe returns the recipe of a base for a platform. Empty has none.
func BaseRecipe(base Base, platform debian.Platform) (debian.Recipe, error) {
	switch base {
	case Rados:
		return radosRecipe(), nil
	case Node:
		return nodeRecipe(platform), nil
	}
	names := []string{string(Rados), string(Node)}
	slices.Sort(names)
	return debian.Recipe{}, fmt.Errorf("base %q is none of %s", base, strings.Join(names, ", "))
}
