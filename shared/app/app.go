package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sort"

	"github.com/go-logr/logr"
	"github.com/urfave/cli/v2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/shared/version"
)

// Exit codes of every service.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Service describes one of our services to Main.
type Service struct {
	// Name is the service: its leader election Lease, user agent and metrics label.
	Name string
	// Usage is the one line that --help shows.
	Usage string
	// Scheme knows all kinds that the service reads or writes.
	Scheme *runtime.Scheme
	// LeaderElection is true for Deployments, false for DaemonSets, whose pods
	// write only what is named after their node.
	LeaderElection bool
	// Flags are the service's own flags, beside the common ones.
	Flags []cli.Flag
	// Commands are subcommands that need no manager.
	Commands []*cli.Command
	// Features are printed by --version, such as "librados": "built".
	Features map[string]string
	// Cache narrows what the informers hold; nil keeps the common settings.
	Cache func(*cli.Context, *cache.Options)
	// Setup registers the controllers. It must not block.
	Setup func(context.Context, manager.Manager, *cli.Context) error
}

// Main runs the service until SIGTERM or SIGINT and returns the exit code: 0
// after a clean stop, 1 on failure, 2 on wrong usage.
func Main(service Service) int {
	return run(ctrl.SetupSignalHandler(), service, os.Args, os.Stdout, os.Stderr)
}

// usageError marks what the user has to mend on the command line.
type usageError struct{ error }

// Usagef returns an error that ends the service with exit code 2.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func run(ctx context.Context, service Service, args []string, out, errOut io.Writer) int {
	cli.VersionPrinter = func(c *cli.Context) { printVersion(c.App.Writer, service) }
	program := &cli.App{
		Name:            service.Name,
		Usage:           service.Usage,
		Version:         version.String(),
		HideHelpCommand: true,
		Flags:           append(commonFlags(service), service.Flags...),
		Commands:        service.Commands,
		Writer:          out,
		ErrWriter:       errOut,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return usageError{err}
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return Usagef("unknown argument %q; see --help", c.Args().First())
			}
			return start(c, service)
		},
	}
	err := program.RunContext(ctx, args)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(errOut, "%s: %v\n", service.Name, err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

// start builds the manager and runs it until the context ends.
func start(c *cli.Context, service Service) error {
	logger, err := newLogger(c.App.ErrWriter, c.String(flagLogLevel))
	if err != nil {
		return err
	}
	ctrl.SetLogger(logger)
	klog.SetLogger(logger.WithName("client-go"))

	mgr, err := newManager(c, service)
	if err != nil {
		return err
	}
	if err := service.Setup(c.Context, mgr, c); err != nil {
		return fmt.Errorf("set up %s: %w", service.Name, err)
	}
	logger.Info("starting", "service", service.Name, "version", version.String())
	if err := mgr.Start(c.Context); err != nil {
		return fmt.Errorf("run %s: %w", service.Name, err)
	}
	return nil
}

func newLogger(out io.Writer, level string) (logr.Logger, error) {
	var at slog.Level
	if err := at.UnmarshalText([]byte(level)); err != nil {
		return logr.Logger{}, Usagef("--%s: %q is none of debug, info, warn, error", flagLogLevel, level)
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: at})), nil
}

func printVersion(out io.Writer, service Service) {
	fmt.Fprintf(out, "%s %s\n", service.Name, version.String())
	names := make([]string, 0, len(service.Features))
	for name := range service.Features {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(out, "%s: %s\n", name, service.Features[name])
	}
}
