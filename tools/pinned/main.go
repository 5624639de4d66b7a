// Command pinned builds the pinned tools of other projects into a cache of the
// machine and links them into bin/.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/tools/pinned/recipe"
)

func main() {
	app := &cli.App{
		Name:        "pinned",
		Usage:       "build pinned tools once per machine and link them into bin/",
		ArgsUsage:   "[TOOL...]",
		Description: describe(),
		Flags: []cli.Flag{
			&cli.PathFlag{Name: "repo", Usage: "root of the repository (default: the directory with go.work above this one)"},
			&cli.PathFlag{Name: "bin", Usage: "directory for the links (default: bin in the repository)"},
			&cli.BoolFlag{Name: "print", Usage: "only print the path of each tool"},
		},
		Action:          run,
		HideHelpCommand: true,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := app.RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "pinned:", err)
		os.Exit(1)
	}
}

func describe() string {
	var text strings.Builder
	for _, recipe := range recipe.All() {
		fmt.Fprintf(&text, "%-15s %s\n", recipe.Name, recipe.About)
	}
	return text.String()
}

func run(c *cli.Context) error {
	repo, err := recipe.Repository(c.Path("repo"))
	if err != nil {
		return err
	}
	cache, err := recipe.DefaultCache()
	if err != nil {
		return err
	}
	builder := recipe.Builder{
		Source: filepath.Join(repo, "tools", "pinned"), Cache: cache, Output: os.Stderr,
		Target: recipe.Target{OS: runtime.GOOS, Arch: runtime.GOARCH, GoVersion: runtime.Version()},
	}
	bin := c.Path("bin")
	if bin == "" {
		bin = filepath.Join(repo, "bin")
	}
	if c.NArg() == 0 {
		return cli.ShowAppHelp(c)
	}
	for _, name := range c.Args().Slice() {
		if err := provide(c, builder, name, bin); err != nil {
			return err
		}
	}
	return nil
}

func provide(c *cli.Context, builder recipe.Builder, name, bin string) error {
	chosen, err := recipe.Find(name)
	if err != nil {
		return err
	}
	began := time.Now()
	built, err := builder.Build(c.Context, chosen)
	if err != nil {
		return err
	}
	if c.Bool("print") {
		fmt.Println(built.Directory)
		return nil
	}
	if built.Fresh {
		fmt.Fprintf(os.Stderr, "built %s in %s\n", name, time.Since(began).Round(time.Second))
	}
	return builder.Link(chosen, built, bin)
}
