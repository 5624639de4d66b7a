package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/hashicorp/go-multierror"
	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/catalog"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/factory"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/oci"
)

func allCommand() *cli.Command {
	return command(&cli.Command{
		Name:  "all",
		Usage: "build every service image and the Ceph images",
		Flags: append(tagFlags(), platformFlag(), outFlag(), dryRunFlag(),
			&cli.StringSliceFlag{Name: "ceph", Value: cli.NewStringSlice("18.2.7"), Usage: "Ceph version to build, may be repeated; none for no Ceph image"}),
		Action: func(c *cli.Context) error {
			var services []catalog.Service
			for _, service := range catalog.Services() {
				if !service.Programs[0].Exists(repositoryOr(".")) {
					progress(c, "%s: skipped, it has no source yet", service.Name)
					continue
				}
				services = append(services, service)
			}
			var releases []catalog.Release
			for _, version := range c.StringSlice("ceph") {
				if version == "none" {
					continue
				}
				release, err := catalog.FindRelease(version)
				if err != nil {
					return usage(err)
				}
				releases = append(releases, release)
			}
			return build(c, services, releases)
		},
	})
}

func repositoryOr(fallback string) string {
	if repository, err := findRepository(); err == nil {
		return repository
	}
	return fallback
}

func serviceCommand() *cli.Command {
	return command(&cli.Command{
		Name:      "service",
		Usage:     "build service images",
		ArgsUsage: "NAME...",
		Flags:     append(tagFlags(), platformFlag(), outFlag(), dryRunFlag()),
		Action: func(c *cli.Context) error {
			var services []catalog.Service
			for _, name := range c.Args().Slice() {
				service, err := catalog.FindService(name)
				if err != nil {
					return usage(err)
				}
				services = append(services, service)
			}
			if len(services) == 0 {
				return usage(errors.New("service: name at least one; image list shows them"))
			}
			return build(c, services, nil)
		},
	})
}

func cephCommand() *cli.Command {
	return command(&cli.Command{
		Name:  "ceph",
		Usage: "build the image of a Ceph release from Debian packages",
		Flags: []cli.Flag{versionFlag(), platformFlag(), outFlag(), dryRunFlag()},
		Action: func(c *cli.Context) error {
			release, err := catalog.FindRelease(c.String(flagVersion))
			if err != nil {
				return usage(err)
			}
			return build(c, nil, []catalog.Release{release})
		},
	})
}

func versionFlag() cli.Flag {
	return &cli.StringFlag{Name: flagVersion, Value: "18.2.7", Usage: "Ceph version or series; Debian decides the version within a series"}
}

// build builds images and prints a line for each.
func build(c *cli.Context, services []catalog.Service, releases []catalog.Release) error {
	wanted, err := platforms(c)
	if err != nil {
		return err
	}
	f, err := newFactory(c)
	if err != nil {
		return err
	}
	if c.Bool(flagDryRun) {
		plan, err := f.Plan(services, releases, wanted)
		if err != nil {
			return err
		}
		return printPlan(c, plan)
	}
	// One image that cannot be built says nothing about the others.
	var failed *multierror.Error
	for _, release := range releases {
		started := f.Now()
		result, err := f.Ceph(c.Context, release, wanted)
		if err != nil {
			if c.Context.Err() != nil {
				return err
			}
			failed = multierror.Append(failed, err)
			continue
		}
		noteVersion(c, release, result)
		printResult(c, result, f.Now().Sub(started))
	}
	for _, service := range services {
		started := f.Now()
		result, err := f.Service(c.Context, service, wanted)
		if err != nil {
			if c.Context.Err() != nil {
				return err
			}
			failed = multierror.Append(failed, err)
			continue
		}
		printResult(c, result, f.Now().Sub(started))
	}
	return failed.ErrorOrNil()
}

// noteVersion says so when Debian has moved on within the series.
func noteVersion(c *cli.Context, release catalog.Release, result factory.Result) {
	if want := catalog.Repository + "/ceph:v" + release.Version; result.Names[0] != want {
		progress(c, "Debian %s now carries another version of %s: the image is %s", release.Suite, release.Series, result.Names[0])
	}
}

func printPlan(c *cli.Context, plan []factory.Step) error {
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for _, step := range plan {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", step.Image, step.State, step.Work)
	}
	return table.Flush()
}

func printResult(c *cli.Context, result factory.Result, took time.Duration) {
	state := "unchanged"
	if result.Changed {
		state = "written"
	}
	const mebibyte = 1 << 20
	_, _ = fmt.Fprintf(c.App.Writer, "%s %s %s %d MiB, %s in %.1fs\n",
		result.Names[0], result.Digest, result.File, result.Size/mebibyte, state, took.Seconds())
}

func progress(c *cli.Context, format string, arguments ...any) {
	_, _ = fmt.Fprintf(c.App.ErrWriter, format+"\n", arguments...)
}

func rootfsCommand() *cli.Command {
	return command(&cli.Command{
		Name:  "rootfs",
		Usage: "unpack the file system of a Ceph release and print its path",
		Flags: []cli.Flag{versionFlag(), platformFlag(), &cli.StringFlag{
			Name: flagOut, Aliases: []string{"o"}, Usage: "make a symbolic link to it here, too",
		}},
		Action: func(c *cli.Context) error {
			release, err := catalog.FindRelease(c.String(flagVersion))
			if err != nil {
				return usage(err)
			}
			wanted, err := platforms(c)
			if err != nil {
				return err
			}
			f, err := newFactory(c)
			if err != nil {
				return err
			}
			path, version, err := f.Rootfs(c.Context, release, wanted[0])
			if err != nil {
				return err
			}
			progress(c, "Ceph %s (%s)", version, release.Series)
			if f.Out != "" {
				if err := link(path, f.Out); err != nil {
					return err
				}
			}
			_, _ = fmt.Fprintln(c.App.Writer, path)
			return nil
		},
	})
}

// link makes a symbolic link unless it is there. It replaces nothing.
func link(target, name string) error {
	err := os.Symlink(target, name)
	if current, _ := os.Readlink(name); err != nil && current != target {
		return fmt.Errorf("link root file system: %w", err)
	}
	return nil
}

func baseCommand() *cli.Command {
	return command(&cli.Command{
		Name:      "base",
		Usage:     "make the base of service images and print what is in it",
		ArgsUsage: "rados|node",
		Flags:     []cli.Flag{platformFlag()},
		Action: func(c *cli.Context) error {
			wanted, err := platforms(c)
			if err != nil {
				return err
			}
			base := catalog.Base(c.Args().First())
			if _, err := catalog.BaseRecipe(base, wanted[0]); err != nil {
				return usage(err)
			}
			f, err := newFactory(c)
			if err != nil {
				return err
			}
			for _, platform := range wanted {
				built, err := f.Base(c.Context, base, platform)
				if err != nil {
					return err
				}
				printBase(c, base, built)
			}
			return nil
		},
	})
}

func printBase(c *cli.Context, base catalog.Base, built debian.Built) {
	const mebibyte = 1 << 20
	_, _ = fmt.Fprintf(c.App.Writer, "%s %s librados %s sha256:%s %d MiB %s\n",
		base, built.Platform, built.Version, built.Digest, built.Size/mebibyte, built.Path)
}

func listCommand() *cli.Command {
	return command(&cli.Command{
		Name:  "list",
		Usage: "list all images and whether they are built",
		Flags: []cli.Flag{outFlag()},
		Action: func(c *cli.Context) error {
			f, err := newFactory(c)
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "IMAGE\tBASE\tFILE\tNAME\tPLATFORMS\tDIGEST")
			for _, service := range catalog.Services() {
				listRow(table, f.Out, service.Name, string(service.Base))
			}
			for _, release := range catalog.Releases() {
				listRow(table, f.Out, "ceph-"+release.Series, release.Suite)
			}
			return table.Flush()
		},
	})
}

func listRow(table *tabwriter.Writer, dir, image, base string) {
	file := filepath.Join(dir, image+".tar")
	stored, err := oci.Inspect(file)
	if err != nil {
		_, _ = fmt.Fprintf(table, "%s\t%s\t-\t-\t-\tnot built\n", image, base)
		return
	}
	_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%v\t%s\n", image, base, filepath.Base(file), stored.Names[0], stored.Platforms, stored.Digest)
}

func smokeCommand() *cli.Command {
	return command(&cli.Command{
		Name:      "smoke",
		Usage:     "run the programs of built images in a chroot to prove that they load; needs root",
		ArgsUsage: "[NAME...]",
		Flags: []cli.Flag{outFlag(), &cli.StringFlag{
			Name: flagPlatform, Value: "linux/" + runtime.GOARCH, Usage: "platform; a foreign one is emulated",
		}},
		Action: func(c *cli.Context) error {
			wanted, err := platforms(c)
			if err != nil {
				return err
			}
			f, err := newFactory(c)
			if err != nil {
				return err
			}
			return smoke(c, f, wanted[0])
		},
	})
}

// smoke tests the named images, or all that are built.
func smoke(c *cli.Context, f factory.Factory, platform debian.Platform) error {
	checks := map[string][]catalog.Check{}
	var names []string
	for _, service := range catalog.Services() {
		names, checks[service.Name] = append(names, service.Name), service.Checks(platform)
	}
	for _, release := range catalog.Releases() {
		names, checks["ceph-"+release.Series] = append(names, "ceph-"+release.Series), catalog.CephChecks(platform)
	}
	asked := c.Args().Slice()
	if len(asked) > 0 {
		names = asked
	}
	var failed []error
	for _, image := range names {
		if checks[image] == nil {
			return usage(fmt.Errorf("image %q is unknown; image list shows them", image))
		}
		file := filepath.Join(f.Out, image+".tar")
		if _, err := os.Stat(file); err != nil && len(asked) == 0 {
			continue
		}
		progress(c, "%s", image)
		if err := f.Smoke(c.Context, file, platform, checks[image]); err != nil {
			failed = append(failed, fmt.Errorf("smoke test %s: %w", image, err))
			continue
		}
		_, _ = fmt.Fprintf(c.App.Writer, "%s works\n", image)
	}
	return errors.Join(failed...)
}

func pushCommand() *cli.Command {
	return command(&cli.Command{
		Name:      "push",
		Usage:     "upload image files to a registry, with compressed layers",
		ArgsUsage: "FILE...",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "registry", Required: true, Usage: "registry and optional path, such as registry.example.com/team"},
			&cli.BoolFlag{Name: "insecure", Usage: "speak plain HTTP"},
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usage(errors.New("push: name at least one image file"))
			}
			var options []name.Option
			if c.Bool("insecure") {
				options = append(options, name.Insecure)
			}
			for _, file := range c.Args().Slice() {
				pushed, err := oci.Push(c.Context, file, c.String("registry"), options...)
				for _, reference := range pushed {
					_, _ = fmt.Fprintln(c.App.Writer, reference)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	})
}
