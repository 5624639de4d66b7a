package v1_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestClusterDefaults(t *testing.T) {
	type facts struct {
		Mons, Mgrs             int
		HostNetwork, MgrHost   bool
		Encrypts, Compresses   bool
		Msgr2Only, Destroys    bool
		Dashboard, Metrics     int32
		MonOut, HealthyOSD     time.Duration
		Maintenance            time.Duration
		PGHealthyRegexIsCustom bool
	}
	unset := facts{
		Mons: 3, Mgrs: 1, Dashboard: 7000, Metrics: 9283,
		MonOut: 10 * time.Minute, HealthyOSD: 10 * time.Minute, Maintenance: 30 * time.Minute,
	}
	with := func(change func(*facts)) facts {
		f := unset
		change(&f)
		return f
	}
	for name, tc := range map[string]struct {
		spec string
		want facts
	}{
		"nothing set":                       {`{}`, unset},
		"counts are taken":                  {`{mon: {count: 5}, mgr: {count: 2}}`, with(func(f *facts) { f.Mons, f.Mgrs = 5, 2 })},
		"an external cluster has no daemon": {`{external: {enable: true}, mon: {count: 3}}`, with(func(f *facts) { f.Mons, f.Mgrs = 0, 0 })},
		"provider host":                     {`{network: {provider: host}}`, with(func(f *facts) { f.HostNetwork, f.MgrHost = true, true })},
		"the older hostNetwork":             {`{network: {hostNetwork: true}}`, with(func(f *facts) { f.HostNetwork, f.MgrHost = true, true })},
		"managers may differ":               {`{network: {provider: host}, mgr: {hostNetwork: false}}`, with(func(f *facts) { f.HostNetwork = true })},
		"encryption needs msgr2": {`{network: {connections: {encryption: {enabled: true}}}}`,
			with(func(f *facts) { f.Encrypts, f.Msgr2Only = true, true })},
		"compression needs msgr2": {`{network: {connections: {compression: {enabled: true}}}}`,
			with(func(f *facts) { f.Compresses, f.Msgr2Only = true, true })},
		"msgr2 alone":               {`{network: {connections: {requireMsgr2: true}}}`, with(func(f *facts) { f.Msgr2Only = true })},
		"dashboard over TLS":        {`{dashboard: {ssl: true}}`, with(func(f *facts) { f.Dashboard = 8443 })},
		"dashboard on another port": {`{dashboard: {ssl: true, port: 1}}`, with(func(f *facts) { f.Dashboard = 1 })},
		"metrics on another port":   {`{monitoring: {port: 2}}`, with(func(f *facts) { f.Metrics = 2 })},
		"times are minutes": {`{waitTimeoutForHealthyOSDInMinutes: 2, disruptionManagement: {osdMaintenanceTimeout: 3}}`,
			with(func(f *facts) { f.HealthyOSD, f.Maintenance = 2*time.Minute, 3*time.Minute })},
		"mon timeout":                     {`{healthCheck: {daemonHealth: {mon: {timeout: 90s}}}}`, with(func(f *facts) { f.MonOut = 90 * time.Second })},
		"mon timeout that is no duration": {`{healthCheck: {daemonHealth: {mon: {timeout: soon}}}}`, unset},
		"confirmed":                       {`{cleanupPolicy: {confirmation: yes-really-destroy-data}}`, with(func(f *facts) { f.Destroys = true })},
		"own PG regexp":                   {`{disruptionManagement: {pgHealthyRegex: ^active$}}`, with(func(f *facts) { f.PGHealthyRegexIsCustom = true })},
	} {
		t.Run(name, func(t *testing.T) {
			var s api.ClusterSpec
			decode(t, tc.spec, &s)
			got := facts{
				Mons: s.MonCount(), Mgrs: s.MgrCount(), HostNetwork: s.Network.UsesHostNetwork(), MgrHost: s.Mgr.UsesHostNetwork(s.Network),
				Encrypts: s.Network.Encrypts(), Compresses: s.Network.Compresses(), Msgr2Only: s.Network.RequiresMsgr2(),
				Destroys: s.DestroysData(), Dashboard: s.Dashboard.ListenPort(), Metrics: s.Monitoring.MetricsPort(),
				MonOut: s.MonOutTimeout(), HealthyOSD: s.HealthyOSDTimeout(), Maintenance: s.OSDMaintenance(),
				PGHealthyRegexIsCustom: s.PGHealthyRegex() != api.DefaultPGHealthyRegex,
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("defaults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaultPGHealthyRegexMatchesServingStates(t *testing.T) {
	healthy := regexp.MustCompile(api.DefaultPGHealthyRegex)
	for state, want := range map[string]bool{
		"active+clean": true, "active+clean+scrubbing+deep": true, "active+clean+snaptrim_wait": true,
		"active": false, "active+undersized+degraded": false, "peering": false,
	} {
		if got := healthy.MatchString(state); got != want {
			t.Errorf("%s healthy = %t, want %t", state, got, want)
		}
	}
}

func TestOSDConfigNarrowerLevelsComeFirst(t *testing.T) {
	cluster := api.OSDConfig{"deviceClass": "hdd", "osdsPerDevice": "2"}
	node := api.OSDConfig{"deviceClass": "ssd", "encryptedDevice": "true"}
	got := node.Over(cluster)
	want := api.OSDConfig{"deviceClass": "ssd", "osdsPerDevice": "2", "encryptedDevice": "true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Over (-want +got):\n%s", diff)
	}
	if got.OSDsPerDevice() != 2 || !got.Encrypted() {
		t.Errorf("OSDsPerDevice = %d, Encrypted = %t, want 2 and true", got.OSDsPerDevice(), got.Encrypted())
	}
	if n := (api.OSDConfig{"osdsPerDevice": "many"}).OSDsPerDevice(); n != 1 {
		t.Errorf("OSDsPerDevice of a bad value = %d, want 1", n)
	}
}

func TestPoolDefaults(t *testing.T) {
	pool := api.CephBlockPool{}
	pool.Name = "rbd"
	if pool.PoolName() != "rbd" || pool.Spec.FailureDomainOrDefault() != "host" || pool.Spec.CrushRootOrDefault() != "default" {
		t.Errorf("defaults = %s %s %s", pool.PoolName(), pool.Spec.FailureDomainOrDefault(), pool.Spec.CrushRootOrDefault())
	}
	decode(t, `{name: .mgr, failureDomain: zone, crushRoot: r, compressionMode: force, replicated: {size: 2}}`, &pool.Spec)
	if pool.PoolName() != ".mgr" || pool.Spec.FailureDomainOrDefault() != "zone" || pool.Spec.CrushRootOrDefault() != "r" {
		t.Errorf("given = %s %s %s", pool.PoolName(), pool.Spec.FailureDomainOrDefault(), pool.Spec.CrushRootOrDefault())
	}
	if !pool.Spec.IsReplicated() || pool.Spec.IsErasureCoded() || pool.Spec.CompressionModeOrUnset() != "force" {
		t.Errorf("replicated = %t, erasure coded = %t, compression = %q",
			pool.Spec.IsReplicated(), pool.Spec.IsErasureCoded(), pool.Spec.CompressionModeOrUnset())
	}
	pool.Spec.Parameters = map[string]string{"compression_mode": "none"}
	if got := pool.Spec.CompressionModeOrUnset(); got != "none" {
		t.Errorf("compression = %q, want the parameter's", got)
	}
}
