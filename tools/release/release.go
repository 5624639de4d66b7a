// Package release installs charts through the Helm SDK. It is the one place of
// the project that meets Helm, behind an interface as small as our need, so
// that the next major version of Helm is one file's work.
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// Helm installs releases into one cluster.
type Helm struct {
	// Kubeconfig is the file that says where the cluster is.
	Kubeconfig string
	// Timeout bounds one operation; 5 minutes when zero.
	Timeout time.Duration
}

// Release is a chart with its values, under a name in a namespace.
type Release struct {
	Name, Namespace string
	// Chart is the directory or the archive of the chart.
	Chart string
	// Values override those of the chart.
	Values map[string]any
}

// Apply installs the release or upgrades it, and waits for nothing. It returns
// what the chart tells its user (NOTES.txt).
func (h Helm) Apply(ctx context.Context, r Release) (notes string, err error) {
	chart, err := load(r.Chart)
	if err != nil {
		return "", err
	}
	config, err := h.configuration(r.Namespace)
	if err != nil {
		return "", err
	}
	if _, err := config.Releases.Last(r.Name); errors.Is(err, driver.ErrReleaseNotFound) {
		install := action.NewInstall(config)
		install.ReleaseName, install.Namespace, install.CreateNamespace = r.Name, r.Namespace, true
		install.Timeout = h.timeout()
		made, err := install.RunWithContext(ctx, chart, r.Values)
		if err != nil {
			return "", fmt.Errorf("install %s: %w", r.Name, err)
		}
		return made.Info.Notes, nil
	}
	upgrade := action.NewUpgrade(config)
	upgrade.Namespace, upgrade.Timeout, upgrade.ResetValues = r.Namespace, h.timeout(), true
	made, err := upgrade.RunWithContext(ctx, r.Name, chart, r.Values)
	if err != nil {
		return "", fmt.Errorf("upgrade %s: %w", r.Name, err)
	}
	return made.Info.Notes, nil
}

// Remove uninstalls a release. One that does not exist is no error.
func (h Helm) Remove(_ context.Context, name, namespace string) error {
	config, err := h.configuration(namespace)
	if err != nil {
		return err
	}
	uninstall := action.NewUninstall(config)
	uninstall.Timeout, uninstall.IgnoreNotFound = h.timeout(), true
	if _, err := uninstall.Run(name); err != nil {
		return fmt.Errorf("uninstall %s: %w", name, err)
	}
	return nil
}

func (h Helm) timeout() time.Duration {
	if h.Timeout == 0 {
		return 5 * time.Minute
	}
	return h.Timeout
}

func (h Helm) configuration(namespace string) (*action.Configuration, error) {
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Namespace = &h.Kubeconfig, &namespace
	config := new(action.Configuration)
	if err := config.Init(flags, namespace, "secret", func(string, ...any) {}); err != nil {
		return nil, fmt.Errorf("reach the cluster of %s: %w", h.Kubeconfig, err)
	}
	return config, nil
}

// load reads a chart. Our charts share the library chart through symbolic
// links, which the loader would mention line by line.
func load(path string) (*chart.Chart, error) {
	before := log.Writer()
	log.SetOutput(io.Discard)
	defer log.SetOutput(before)
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, fmt.Errorf("load chart: %w", err)
	}
	return loaded, nil
}
