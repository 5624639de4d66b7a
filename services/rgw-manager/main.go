// Command rgw-manager keeps the object stores of every CephCluster.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/claim"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setup"
	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

func main() {
	os.Exit(app.Main(app.Service{
		Name:           gateway.Service,
		Usage:          "keep the object stores of Ceph clusters",
		Scheme:         setup.Scheme(),
		LeaderElection: true,
		Features:       map[string]string{"librados": built()},
		Flags:          claimFlags(),
		Cache: func(c *cli.Context, options *cache.Options) {
			setup.Narrow(options, c.StringSlice(flagClaimNamespaces))
		},
		Setup: func(_ context.Context, mgr manager.Manager, c *cli.Context) error {
			claims, err := claimConfig(c)
			if err != nil {
				return err
			}
			return setup.Controllers(mgr, librados.Dialer{}, app.OwnImage(c), served(c), claims)
		},
	}))
}

// served are the namespaces that hold the clusters.
func served(c *cli.Context) []string {
	if all := app.Namespaces(c); len(all) > 0 {
		return all
	}
	return []string{app.OwnNamespace(c)}
}

func built() string {
	if librados.Built() {
		return "built"
	}
	return "not built"
}

const (
	flagClaimNamespaces = "claim-namespaces"
	flagDisableClaims   = "disable-obc"
	flagByNamespace     = "obc-watch-operator-namespace"
	flagPrefix          = "obc-provisioner-name-prefix"
	flagAllowed         = "obc-allow-additional-config-fields"
)

func claimFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: flagClaimNamespaces, EnvVars: []string{"CLAIM_NAMESPACES"},
			Usage: "namespaces that may hold bucket claims, separated by commas; all when empty"},
		&cli.BoolFlag{Name: flagDisableClaims, EnvVars: []string{"ROOK_DISABLE_OBJECT_BUCKET_CLAIM"},
			Usage: "leave bucket claims to others"},
		&cli.BoolFlag{Name: flagByNamespace, Value: true, EnvVars: []string{"ROOK_OBC_WATCH_OPERATOR_NAMESPACE"},
			Usage: "name the provisioner of buckets after the namespace of the cluster"},
		&cli.StringFlag{Name: flagPrefix, EnvVars: []string{"ROOK_OBC_PROVISIONER_NAME_PREFIX"},
			Usage: "name the provisioner of buckets after this instead"},
		&cli.StringFlag{Name: flagAllowed, Value: bucket.MaxObjects + "," + bucket.MaxSize, EnvVars: []string{"ROOK_OBC_ALLOW_ADDITIONAL_CONFIG_FIELDS"},
			Usage: "settings that bucket claims may make, separated by commas"},
	}
}

// claimConfig is what the flags say about claims; nil when they are left to others.
func claimConfig(c *cli.Context) (*claim.Config, error) {
	if c.Bool(flagDisableClaims) {
		return nil, nil
	}
	named := served(c)
	if !c.Bool(flagByNamespace) {
		named = nil
	}
	allowed := strings.FieldsFunc(c.String(flagAllowed), func(r rune) bool { return r == ',' || r == ' ' })
	if unknown := bucket.Unknown(allowed); unknown != "" {
		return nil, app.Usagef("--%s: %q is unknown; known are %s", flagAllowed, unknown, strings.Join(bucket.Known(), ", "))
	}
	return &claim.Config{Provisioners: claim.Provisioners(c.String(flagPrefix), named), Allowed: allowed, Namespaces: served(c)}, nil
}
