package mgr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func cluster() *api.CephCluster {
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster"},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v18.2.7"}},
	}
}

func TestDecideModules(t *testing.T) {
	seen := ceph.MgrModules{
		AlwaysOn: []string{"balancer"}, Enabled: []string{"iostat", "telegraf"},
		Disabled: []ceph.MgrModule{{Name: "prometheus", CanRun: true}, {Name: "dashboard", ErrorString: "no module named cherrypy"}, {Name: "stats", CanRun: true}},
	}
	for name, test := range map[string]struct {
		change func(*api.CephCluster)
		want   Modules
	}{
		"turns_the_metrics_on": {func(*api.CephCluster) {}, Modules{Enable: []string{"prometheus"}, Missing: map[string]string{}}},
		"leaves_the_metrics_off": {
			func(c *api.CephCluster) { c.Spec.Monitoring.MetricsDisabled = true }, Modules{Missing: map[string]string{}},
		},
		"names_a_module_that_cannot_run": {
			func(c *api.CephCluster) { c.Spec.Dashboard.Enabled = true },
			Modules{Enable: []string{"prometheus"}, Missing: map[string]string{"dashboard": "no module named cherrypy"}},
		},
		"names_a_module_that_the_image_lacks": {
			func(c *api.CephCluster) { c.Spec.Mgr.Modules = []api.Module{{Name: "rook", Enabled: true}} },
			Modules{Enable: []string{"prometheus"}, Missing: map[string]string{"rook": "the Ceph image does not have it"}},
		},
		"turns_off_what_the_spec_turns_off_and_nothing_else": {
			func(c *api.CephCluster) {
				c.Spec.Mgr.Modules = []api.Module{{Name: "telegraf"}, {Name: "stats", Enabled: true}}
			},
			Modules{Enable: []string{"prometheus", "stats"}, Disable: []string{"telegraf"}, Missing: map[string]string{}},
		},
		"leaves_always_on_modules_alone": {
			func(c *api.CephCluster) { c.Spec.Mgr.Modules = []api.Module{{Name: "balancer"}} },
			Modules{Enable: []string{"prometheus"}, Missing: map[string]string{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster()
			test.change(c)
			if diff := cmp.Diff(test.want, DecideModules(c, seen)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNextToUpdate(t *testing.T) {
	ready := map[string]bool{"a": true, "b": true}
	for name, test := range map[string]struct {
		outdated []string
		standbys []string
		ready    map[string]bool
		want     string
		fail     bool
	}{
		"the_standby_first":                        {[]string{"a", "b"}, []string{"b"}, ready, "b", false},
		"then_the_active_one_after_it_handed_over": {[]string{"a"}, []string{"b"}, ready, "a", true},
		"an_only_manager_without_handing_over":     {[]string{"a"}, nil, ready, "a", false},
		"one_that_does_not_run_before_all":         {[]string{"a", "b"}, nil, map[string]bool{"b": true}, "a", false},
		"nobody_when_all_are_current":              {nil, []string{"b"}, ready, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, fail := NextToUpdate(test.outdated, "a", test.standbys, test.ready)
			if got != test.want || fail != test.fail {
				t.Errorf("got %q, fail %v; want %q, fail %v", got, fail, test.want, test.fail)
			}
		})
	}
}

func TestManagersAreNamedByLetters(t *testing.T) {
	c := cluster()
	c.Spec.Mgr.Count = 2
	if diff := cmp.Diff([]string{"a", "b"}, Managers(c)); diff != "" {
		t.Error(diff)
	}
}

func TestOptionsFollowTheSpec(t *testing.T) {
	c := cluster()
	c.Spec.Dashboard = api.DashboardSpec{Enabled: true, SSL: true, URLPrefix: "/ceph"}
	want := map[string]string{
		"mgr/prometheus/server_port": "9283", "mgr/dashboard/ssl": "true", "mgr/dashboard/ssl_server_port": "8443", "mgr/dashboard/url_prefix": "/ceph",
	}
	if diff := cmp.Diff(want, options(c)); diff != "" {
		t.Error(diff)
	}
}

func TestPasswordsAreLongAndDiffer(t *testing.T) {
	first, err := Password(strings.NewReader("abcdefghijklmnopqrst"))
	if err != nil || len(first) != 20 {
		t.Fatalf("password %q, %v", first, err)
	}
	second, err := Password(strings.NewReader("bcdefghijklmnopqrstu"))
	if err != nil || first == second {
		t.Errorf("other randomness gave the same password, %v", err)
	}
	if _, err := Password(strings.NewReader("short")); err == nil {
		t.Error("too little randomness is accepted")
	}
}
