package settings

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func with(options map[string]map[string]string) *api.CephCluster {
	return &api.CephCluster{Spec: api.ClusterSpec{CephConfig: options}}
}

// stored is what Ceph holds when all that is wanted was set.
func stored(cluster *api.CephCluster) []ceph.ConfigOption {
	var dump []ceph.ConfigOption
	for option, value := range Wanted(cluster) {
		dump = append(dump, ceph.ConfigOption{Section: option.Who, Name: option.Name, Value: value})
	}
	return dump
}

func TestASettledConfigurationIsLeftAlone(t *testing.T) {
	cluster := with(map[string]map[string]string{"osd": {"osd_max_backfills": "3"}})
	first := Decide(cluster, nil, nil, nil)
	if len(first.Set) != len(Wanted(cluster)) {
		t.Errorf("%d options are set at first, want %d", len(first.Set), len(Wanted(cluster)))
	}
	second := Decide(cluster, stored(cluster), first.Record, nil)
	if len(second.Set)+len(second.Remove)+len(second.Mute)+len(second.Unmute) != 0 {
		t.Errorf("a settled cluster is changed: %+v", second)
	}
	if diff := cmp.Diff(first.Record, second.Record); diff != "" {
		t.Error(diff)
	}
}

func TestDecide(t *testing.T) {
	option := Option{"osd", "osd_max_backfills"}
	asked := with(map[string]map[string]string{"osd": {"osd max backfills": "3"}})
	t.Run("sets_what_differs", func(t *testing.T) {
		dump := append(stored(with(nil)), ceph.ConfigOption{Section: "osd", Name: "osd_max_backfills", Value: "1"})
		if diff := cmp.Diff(map[Option]string{option: "3"}, Decide(asked, dump, nil, nil).Set); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("removes_what_left_the_spec_and_was_ours", func(t *testing.T) {
		if diff := cmp.Diff([]Option{option}, Decide(with(nil), stored(asked), []Note{{Option: option}}, nil).Remove); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("leaves_what_somebody_else_set", func(t *testing.T) {
		if got := Decide(with(nil), stored(asked), nil, nil); len(got.Remove) != 0 {
			t.Errorf("removed %v", got.Remove)
		}
	})
	t.Run("the_user_wins_over_our_defaults", func(t *testing.T) {
		got := Wanted(with(map[string]map[string]string{"global": {"mon_allow_pool_delete": "false"}}))
		if got[Option{"global", "mon_allow_pool_delete"}] != "false" {
			t.Error("our default wins")
		}
	})
	t.Run("masks_belong_to_the_section", func(t *testing.T) {
		cluster := with(map[string]map[string]string{"osd/class:ssd": {"osd_max_backfills": "3"}})
		dump := append(stored(with(nil)), ceph.ConfigOption{Section: "osd", Mask: "class:ssd", Name: "osd_max_backfills", Value: "3"})
		if got := Decide(cluster, dump, nil, nil); len(got.Set) != 0 {
			t.Errorf("set %v", got.Set)
		}
	})
}

func TestAValueThatCephSpellsDifferentlyIsSetOnce(t *testing.T) {
	option := Option{"osd", "osd_memory_target"}
	cluster := with(map[string]map[string]string{"osd": {"osd_memory_target": "4G"}})
	held := func(value string) []ceph.ConfigOption {
		return append(stored(with(nil)), ceph.ConfigOption{Section: option.Who, Name: option.Name, Value: value})
	}
	first := Decide(cluster, stored(with(nil)), nil, nil)
	if diff := cmp.Diff(map[Option]string{option: "4G"}, first.Set); diff != "" {
		t.Fatal(diff)
	}
	known := Learn(first, []Option{option}, held("4294967296"))
	second := Decide(cluster, held("4294967296"), known, nil)
	if len(second.Set) != 0 {
		t.Errorf("set again: %v", second.Set)
	}
	if diff := cmp.Diff(known, second.Record); diff != "" {
		t.Errorf("a settled pass notes something else (-before +after):\n%s", diff)
	}
	if third := Decide(cluster, held("1024"), known, nil); third.Set[option] != "4G" {
		t.Error("a value that somebody else changed stays")
	}
	cluster = with(map[string]map[string]string{"osd": {"osd_memory_target": "5G"}})
	if fourth := Decide(cluster, held("4294967296"), known, nil); fourth.Set[option] != "5G" {
		t.Error("a new value of the spec is not set")
	}
	for _, note := range Learn(Decide(cluster, held("4294967296"), known, nil), nil, held("4294967296")) {
		if note.Sent != "" {
			t.Errorf("a refused value is taken for set: %+v", note)
		}
	}
	gone := Decide(with(nil), held("4294967296"), known, nil)
	if diff := cmp.Diff([]Option{option}, gone.Remove); diff != "" {
		t.Error(diff)
	}
	for _, note := range Learn(gone, nil, stored(with(nil))) {
		if note.Option == option {
			t.Error("a removed option is remembered")
		}
	}
}

func TestEncryptionIsAsked(t *testing.T) {
	cluster := with(nil)
	cluster.Spec.Network.Connections = &api.ConnectionsSpec{Encryption: &api.EncryptionSpec{Enabled: true}}
	wanted := Wanted(cluster)
	for _, name := range []string{"ms_cluster_mode", "ms_service_mode", "ms_client_mode"} {
		if wanted[Option{"global", name}] != "secure" {
			t.Errorf("%s is %q", name, wanted[Option{"global", name}])
		}
	}
}

func TestMutes(t *testing.T) {
	cluster := with(nil)
	cluster.Spec.HealthCheck.MuteHealthWarning = map[string]api.MuteHealthWarningSpec{
		"A": {Policy: api.MutePolicyMute}, "B": {Policy: api.MutePolicyMute}, "C": {Policy: api.MutePolicyUnmute}, "D": {Policy: api.MutePolicyUnmute},
	}
	got := Decide(cluster, nil, nil, []ceph.HealthMute{{Code: "B"}, {Code: "C"}, {Code: "E"}})
	if diff := cmp.Diff([]string{"A"}, got.Mute); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"C"}, got.Unmute); diff != "" {
		t.Error(diff)
	}
}

func TestOldCiphersAreMutedUnlessTheSpecForbidsThem(t *testing.T) {
	health := ceph.Health{Checks: map[string]ceph.HealthCheck{
		"AUTH_INSECURE_KEYS_ALLOWED": {}, "AUTH_INSECURE_SERVICE_TICKETS": {Muted: true}, "AUTH_INSECURE_GLOBAL_ID_RECLAIM": {}, "OSD_DOWN": {},
	}}
	cluster := with(nil)
	if diff := cmp.Diff([]string{"AUTH_INSECURE_KEYS_ALLOWED"}, OldCiphers(cluster, health)); diff != "" {
		t.Error(diff)
	}
	cluster.Spec.HealthCheck.MuteHealthWarning = map[string]api.MuteHealthWarningSpec{"AUTH_INSECURE_KEYS_ALLOWED": {Policy: api.MutePolicyUnmute}}
	if got := OldCiphers(cluster, health); got != nil {
		t.Errorf("muted %v against the user's words", got)
	}
	cluster = with(nil)
	cluster.Spec.Security.CephX.AllowedCiphers = []api.CephxKeyType{"aes256k"}
	if got := OldCiphers(cluster, health); got != nil {
		t.Errorf("muted %v although old keys are forbidden", got)
	}
}
