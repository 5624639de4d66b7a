package app

import (
	"time"

	"github.com/urfave/cli/v2"
)

const (
	flagNamespaces    = "namespaces"
	flagOwnNamespace  = "own-namespace"
	flagOwnImage      = "own-image"
	flagLogLevel      = "log-level"
	flagMetrics       = "metrics-bind-address"
	flagMetricsAuth   = "metrics-auth"
	flagProbes        = "health-probe-bind-address"
	flagPprof         = "pprof-bind-address"
	flagLeaderElect   = "leader-elect"
	flagLeaseDuration = "leader-elect-lease-duration"
	flagRenewDeadline = "leader-elect-renew-deadline"
	flagRetryPeriod   = "leader-elect-retry-period"
)

// Namespaces returns the namespaces that this service serves.
func Namespaces(c *cli.Context) []string { return c.StringSlice(flagNamespaces) }

// OwnNamespace returns the namespace in which the service itself runs.
func OwnNamespace(c *cli.Context) string { return c.String(flagOwnNamespace) }

// OwnImage returns the image that the service itself runs, for the helpers that
// it puts into the pods of Ceph daemons.
func OwnImage(c *cli.Context) string { return c.String(flagOwnImage) }

func commonFlags(service Service) []cli.Flag {
	flags := []cli.Flag{
		&cli.StringSliceFlag{Name: flagNamespaces, EnvVars: []string{"WATCH_NAMESPACES"},
			Usage: "namespaces to serve, separated by commas; the own namespace when empty"},
		&cli.StringFlag{Name: flagOwnNamespace, EnvVars: []string{"POD_NAMESPACE"}, Value: "rook-ceph",
			Usage: "namespace in which this service runs"},
		&cli.StringFlag{Name: flagOwnImage, EnvVars: []string{"OWN_IMAGE"},
			Usage: "image of this service, for the helpers that it puts into pods of Ceph daemons"},
		&cli.StringFlag{Name: flagLogLevel, EnvVars: []string{"LOG_LEVEL"}, Value: "info",
			Usage: "debug, info, warn or error"},
		&cli.StringFlag{Name: flagMetrics, Value: ":8443", EnvVars: []string{"METRICS_BIND_ADDRESS"},
			Usage: "address of the metrics endpoint (HTTPS); 0 turns it off"},
		&cli.BoolFlag{Name: flagMetricsAuth, Value: true, EnvVars: []string{"METRICS_AUTH"},
			Usage: "ask Kubernetes who may read the metrics; without it they are plain HTTP for everybody"},
		&cli.StringFlag{Name: flagProbes, Value: ":8081", EnvVars: []string{"HEALTH_PROBE_BIND_ADDRESS"},
			Usage: "address of /healthz and /readyz"},
		&cli.StringFlag{Name: flagPprof, EnvVars: []string{"PPROF_BIND_ADDRESS"},
			Usage: "address of net/http/pprof; off when empty"},
	}
	if !service.LeaderElection {
		return flags
	}
	return append(flags,
		&cli.BoolFlag{Name: flagLeaderElect, Value: true, Usage: "work only while holding the Lease of the service"},
		&cli.DurationFlag{Name: flagLeaseDuration, Value: 15 * time.Second, EnvVars: []string{"LEASE_DURATION"},
			Usage: "how long a standby waits for a dead leader"},
		&cli.DurationFlag{Name: flagRenewDeadline, Value: 10 * time.Second, EnvVars: []string{"RENEW_DEADLINE"},
			Usage: "how long a leader tries to renew before it stops"},
		&cli.DurationFlag{Name: flagRetryPeriod, Value: 2 * time.Second, EnvVars: []string{"RETRY_PERIOD"},
			Usage: "time between two tries"},
	)
}
