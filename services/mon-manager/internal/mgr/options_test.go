package mgr

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// heldOptions is what Ceph holds once all that is wanted was set.
func heldOptions(wanted map[string]string) []ceph.ConfigOption {
	var dump []ceph.ConfigOption
	for name, value := range wanted {
		dump = append(dump, ceph.ConfigOption{Section: "mgr", Name: name, Value: value})
	}
	return dump
}

func TestDecideOptions(t *testing.T) {
	plain := cluster()
	plain.Spec.Dashboard = api.DashboardSpec{Enabled: true}
	prefixed := plain.DeepCopy()
	prefixed.Spec.Dashboard.URLPrefix = "/ceph"
	prefixed.Spec.Dashboard.PrometheusEndpoint = "http://prometheus:9090"
	ours := DecideOptions(options(prefixed), nil, Memo{}, false).After
	for name, test := range map[string]struct {
		cluster *api.CephCluster
		dump    []ceph.ConfigOption
		known   Memo
		running bool
		set     map[string]string
		remove  []string
		restart bool
	}{
		"a_settled_dashboard_is_left_alone": {
			cluster: prefixed, dump: heldOptions(options(prefixed)), known: ours, running: true, set: map[string]string{},
		},
		"a_new_prefix_restarts_the_dashboard": {
			cluster: prefixed, dump: append(heldOptions(options(plain)), ceph.ConfigOption{Section: "mgr", Name: "mgr/dashboard/url_prefix", Value: "/old"}),
			known: ours, running: true, restart: true,
			set: map[string]string{
				"mgr/dashboard/url_prefix": "/ceph", "mgr/dashboard/PROMETHEUS_API_HOST": "http://prometheus:9090",
				"mgr/dashboard/PROMETHEUS_API_SSL_VERIFY": "false",
			},
		},
		"what_left_the_spec_leaves_Ceph": {
			cluster: plain, dump: heldOptions(options(prefixed)), known: ours, running: true, restart: true, set: map[string]string{},
			remove: []string{"mgr/dashboard/PROMETHEUS_API_HOST", "mgr/dashboard/PROMETHEUS_API_SSL_VERIFY", "mgr/dashboard/url_prefix"},
		},
		"what_somebody_else_set_stays": {
			cluster: plain, dump: heldOptions(options(prefixed)), running: true, set: map[string]string{},
		},
		"a_dashboard_that_does_not_run_yet_is_not_restarted": {
			cluster: plain, set: options(plain),
		},
		"a_restart_that_was_begun_is_finished": {
			cluster: plain, dump: heldOptions(options(plain)), known: Memo{Restart: true}, running: true, set: map[string]string{}, restart: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := DecideOptions(options(test.cluster), test.dump, test.known, test.running)
			if diff := cmp.Diff(test.set, got.Set); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.remove, got.Remove); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			if got.After.Restart != test.restart {
				t.Errorf("restarts: %t, want %t", got.After.Restart, test.restart)
			}
			for _, name := range test.remove {
				if !slices.Contains(got.Before.Options, name) || slices.Contains(got.After.Options, name) {
					t.Errorf("%s is remembered as %+v before and %+v after", name, got.Before, got.After)
				}
			}
		})
	}
}
