package app

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/rook-ceph/rook-ceph/shared/version"
)

// passTimeout bounds one reconcile pass, so that a hanging call of one object
// cannot hold its worker for ever.
const passTimeout = 2 * time.Minute

// newManager makes the manager with what all services have in common.
func newManager(c *cli.Context, service Service) (manager.Manager, error) {
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w; run in a pod or set KUBECONFIG", err)
	}
	restConfig.UserAgent = service.Name + "/" + version.String()
	restConfig.QPS = -1 // the API server's priority and fairness is the limit

	options := manager.Options{
		Scheme:                 service.Scheme,
		Cache:                  cacheOptions(c, service),
		Metrics:                metricsOptions(c),
		HealthProbeBindAddress: c.String(flagProbes),
		PprofBindAddress:       c.String(flagPprof),
		Controller: config.Controller{
			EnableWarmup:          ptr.To(true),
			ReconciliationTimeout: passTimeout,
		},
	}
	if service.LeaderElection {
		options.LeaderElection = c.Bool(flagLeaderElect)
		options.LeaderElectionID = service.Name + ".ceph.rook.io"
		options.LeaderElectionNamespace = OwnNamespace(c)
		options.LeaderElectionReleaseOnCancel = true
		options.LeaseDuration = ptr.To(c.Duration(flagLeaseDuration))
		options.RenewDeadline = ptr.To(c.Duration(flagRenewDeadline))
		options.RetryPeriod = ptr.To(c.Duration(flagRetryPeriod))
	}
	mgr, err := ctrl.NewManager(restConfig, options)
	if err != nil {
		return nil, fmt.Errorf("make manager: %w", err)
	}
	for name, add := range map[string]func(string, healthz.Checker) error{
		"ping": mgr.AddHealthzCheck, "ready": mgr.AddReadyzCheck,
	} {
		if err := add(name, healthz.Ping); err != nil {
			return nil, fmt.Errorf("add probe %s: %w", name, err)
		}
	}
	return quietManager{mgr}, nil
}

// cacheOptions limits all namespaced informers to the served namespaces.
func cacheOptions(c *cli.Context, service Service) cache.Options {
	served := Namespaces(c)
	if len(served) == 0 {
		served = []string{OwnNamespace(c)}
	}
	options := cache.Options{DefaultNamespaces: map[string]cache.Config{}}
	for _, namespace := range served {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	if service.Cache != nil {
		service.Cache(c, &options)
	}
	return options
}

func metricsOptions(c *cli.Context) metricsserver.Options {
	options := metricsserver.Options{BindAddress: c.String(flagMetrics)}
	if c.Bool(flagMetricsAuth) {
		options.SecureServing = true
		options.FilterProvider = newGuard
	}
	return options
}
