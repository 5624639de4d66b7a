package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/debian"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/factory"
	"github.com/rook-ceph/rook-ceph/tools/image/internal/store"
)

// Exit codes, as the help text explains them.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitMissing = 3
)

// usageError is an error that only another command line helps against.
type usageError struct{ error }

func usage(err error) error { return usageError{err} }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.As(err, &usageError{}) {
		return exitUsage
	}
	if errors.Is(err, debian.ErrMissing) {
		return exitMissing
	}
	return exitFailed
}

// Names of flags that more than one command has.
const (
	flagPlatform = "platform"
	flagOut      = "out"
	flagVersion  = "version"
	flagDryRun   = "dry-run"
	flagInstall  = "install"
)

func newApp(out, progress io.Writer) *cli.App {
	return &cli.App{
		Name:            "image",
		Usage:           "build the container images without registry or container runtime",
		Writer:          out,
		ErrWriter:       progress,
		HideVersion:     true,
		HideHelpCommand: true,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return usage(err) },
		Action:          func(c *cli.Context) error { return withoutCommand(c) },
		Commands: []*cli.Command{
			allCommand(), serviceCommand(), cephCommand(), rootfsCommand(), baseCommand(),
			listCommand(), smokeCommand(), pushCommand(),
		},
		Description: `Results go to standard output, progress to standard error. File systems made of
Debian packages are kept below ${XDG_CACHE_HOME:-~/.cache}/rook-ceph and made again
only when their recipe changes; making one needs root.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a program is missing and --install=false.`,
	}
}

func withoutCommand(c *cli.Context) error {
	if c.Args().Present() {
		return usage(fmt.Errorf("command %q is unknown; see image --help", c.Args().First()))
	}
	return cli.ShowAppHelp(c)
}

// command fills in what all commands share.
func command(c *cli.Command) *cli.Command {
	c.Flags = append(c.Flags,
		&cli.BoolFlag{Name: flagInstall, Value: true, Usage: "install missing Debian packages with apt-get"},
		&cli.StringFlag{Name: "mirror", Usage: "Debian mirror to use instead of the one in the apt configuration"},
	)
	c.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return usage(err) }
	return c
}

func platformFlag() cli.Flag {
	return &cli.StringFlag{Name: flagPlatform, Value: "linux/" + runtime.GOARCH, Usage: "platforms, separated by commas: linux/amd64, linux/arm64"}
}

func outFlag() cli.Flag {
	return &cli.StringFlag{Name: flagOut, Aliases: []string{"o"}, Value: ".local/images", Usage: "directory of the image files, relative to the repository"}
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: flagDryRun, Aliases: []string{"n"}, Usage: "say what would be done and do nothing"}
}

func tagFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "tag", Value: "dev", Usage: "tag of service images"},
		&cli.StringFlag{Name: "stamp", Usage: "version that programs report, such as v1.2.3; empty keeps their default"},
	}
}

// platforms reads the platform flag.
func platforms(c *cli.Context) ([]debian.Platform, error) {
	var all []debian.Platform
	for _, text := range strings.Split(c.String(flagPlatform), ",") {
		platform, err := debian.ParsePlatform(text)
		if err != nil {
			return nil, usage(err)
		}
		all = append(all, platform)
	}
	return all, nil
}

// newFactory reads the flags and the machine.
func newFactory(c *cli.Context) (factory.Factory, error) {
	repository, err := findRepository()
	if err != nil {
		return factory.Factory{}, err
	}
	cache, err := store.Default()
	if err != nil {
		return factory.Factory{}, err
	}
	sources, err := debian.FindSources("/")
	if err != nil {
		return factory.Factory{}, err
	}
	if mirror := c.String("mirror"); mirror != "" {
		sources.Mirror = mirror
	}
	created, err := createdTime()
	if err != nil {
		return factory.Factory{}, err
	}
	out := c.String(flagOut)
	if out != "" && !filepath.IsAbs(out) {
		if c.IsSet(flagOut) {
			out, err = filepath.Abs(out)
		} else {
			out = filepath.Join(repository, out)
		}
	}
	return factory.Factory{
		Repository: repository, Store: cache, Sources: sources, Progress: c.App.ErrWriter,
		Install: c.Bool(flagInstall), Out: out, Tag: c.String("tag"), Version: c.String("stamp"),
		Created: created, Now: time.Now,
	}, err
}

// createdTime returns the time that images carry: SOURCE_DATE_EPOCH or, so
// that equal input gives an equal image, the epoch.
func createdTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, usage(fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err))
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// findRepository returns the nearest directory upwards with a go.work.
func findRepository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", usage(errors.New("find repository: no go.work here or above"))
		}
		dir = parent
	}
}

// flagsFirst moves the flags of a command before its other arguments, because
// the flag parser stops at the first of those.
func flagsFirst(app *cli.App, arguments []string) []string {
	if len(arguments) < 2 {
		return arguments
	}
	found := app.Command(arguments[1])
	if found == nil {
		return arguments
	}
	flags, rest := append([]string{}, arguments[:2]...), []string{}
	for i := 2; i < len(arguments); i++ {
		argument := arguments[i]
		if argument == "--" {
			rest = append(rest, arguments[i+1:]...)
			break
		}
		if !strings.HasPrefix(argument, "-") {
			rest = append(rest, argument)
			continue
		}
		flags = append(flags, argument)
		if takesValue(found, argument) && i+1 < len(arguments) {
			i++
			flags = append(flags, arguments[i])
		}
	}
	return append(flags, rest...)
}

// takesValue tells whether a flag's value is the next argument.
func takesValue(command *cli.Command, argument string) bool {
	if strings.Contains(argument, "=") {
		return false
	}
	name := strings.TrimLeft(argument, "-")
	for _, flag := range command.Flags {
		for _, known := range flag.Names() {
			if known == name {
				documented, ok := flag.(cli.DocGenerationFlag)
				return ok && documented.TakesValue()
			}
		}
	}
	return false
}
