package factory

import (
	"path/filepath"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/catalog"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/compile"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
)

// Step is one piece of work of a build.
type Step struct {
	// Image is the image that the step is for.
	Image string
	// State is "cached" or "make" for file systems, "build" for programs, and
	// "absent" for programs without source.
	State string
	// Work says what is done, as a command where there is one.
	Work string
}

// Plan returns what building would do, in order, without doing it.
func (f Factory) Plan(services []catalog.Service, releases []catalog.Release, platforms []debian.Platform) ([]Step, error) {
	var steps []Step
	for _, release := range releases {
		for _, platform := range platforms {
			step, err := f.planFileSystem("ceph-"+release.Series, release.Recipe(platform), platform)
			if err != nil {
				return nil, err
			}
			steps = append(steps, step)
		}
	}
	for _, service := range services {
		for _, platform := range platforms {
			some, err := f.planService(service, platform)
			if err != nil {
				return nil, err
			}
			steps = append(steps, some...)
		}
	}
	return steps, nil
}

func (f Factory) planFileSystem(image string, recipe debian.Recipe, platform debian.Platform) (Step, error) {
	entry, err := debian.Entry(recipe, platform)
	if err != nil {
		return Step{}, err
	}
	step := Step{Image: image, State: "make", Work: "mmdebstrap"}
	if f.Store.Has(entry) {
		step.State = "cached"
	}
	for _, argument := range debian.Arguments(recipe, platform, f.Store.Path(entry), f.Sources) {
		if !strings.Contains(argument, "hook=") {
			step.Work += " " + argument
		}
	}
	return step, nil
}

func (f Factory) planService(service catalog.Service, platform debian.Platform) ([]Step, error) {
	var recipes []debian.Recipe
	if service.Base != catalog.Empty {
		recipe, err := catalog.BaseRecipe(service.Base, platform)
		if err != nil {
			return nil, err
		}
		recipes = append(recipes, recipe, catalog.Sysroot())
	}
	var steps []Step
	for _, recipe := range recipes {
		step, err := f.planFileSystem(service.Name, recipe, platform)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	settings := compile.Settings{Repository: f.Repository, Platform: platform, Version: f.Version}
	for _, program := range service.Programs {
		step := Step{Image: service.Name, State: "build"}
		if !program.Exists(f.Repository) {
			step.State = "absent"
		}
		command := settings.Arguments(program, filepath.Join(f.Out, ".programs", platform.Arch, program.Name))
		step.Work = "cd " + program.Module + " && go " + strings.Join(command, " ")
		steps = append(steps, step)
	}
	return steps, nil
}
