package settings

import (
	"maps"
	"slices"
	"sort"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Option is one option of one section.
type Option struct {
	Who  string `json:"who"`
	Name string `json:"name"`
}

// Plan is what to change.
type Plan struct {
	Set    map[Option]string
	Remove []Option
	// Record is the list of options to remember, sorted.
	Record []Option
	Mute   []string
	Unmute []string
}

// Wanted returns every option that shall be set. What the user says wins.
func Wanted(cluster *api.CephCluster) map[Option]string {
	wanted := map[Option]string{
		{"global", "mon_allow_pool_delete"}:              "true",
		{"global", "mon_allow_pool_size_one"}:            "true",
		{"global", "mon_cluster_log_file"}:               "",
		{"mon", "auth_allow_insecure_global_id_reclaim"}: "false",
		{"global", "log_to_file"}:                        boolean(cluster.Spec.LogCollector.Enabled),
	}
	network := cluster.Spec.Network
	if network.Encrypts() {
		for _, mode := range []string{"ms_cluster_mode", "ms_service_mode", "ms_client_mode"} {
			wanted[Option{"global", mode}] = "secure"
		}
		wanted[Option{"global", "rbd_default_map_options"}] = "ms_mode=secure"
	} else if network.RequiresMsgr2() {
		wanted[Option{"global", "rbd_default_map_options"}] = "ms_mode=prefer-crc"
	}
	if network.Compresses() {
		wanted[Option{"global", "ms_osd_compress_mode"}] = "force"
	}
	for who, options := range cluster.Spec.CephConfig {
		for name, value := range options {
			wanted[Option{who, canonical(name)}] = value
		}
	}
	return wanted
}

// Decide compares what is wanted with what Ceph holds. Recorded are the options
// that an earlier pass set.
func Decide(cluster *api.CephCluster, dump []ceph.ConfigOption, recorded []Option, mutes []ceph.HealthMute) Plan {
	plan := Plan{Set: map[Option]string{}}
	stored := map[Option]string{}
	for _, option := range dump {
		stored[Option{section(option), option.Name}] = option.Value
	}
	wanted := Wanted(cluster)
	for option, value := range wanted {
		if held, found := stored[option]; !found || held != value {
			plan.Set[option] = value
		}
	}
	for _, option := range recorded {
		if _, still := wanted[option]; still {
			continue
		}
		if _, found := stored[option]; found {
			plan.Remove = append(plan.Remove, option)
		}
	}
	plan.Record = order(slices.Collect(maps.Keys(wanted)))
	plan.decideMutes(cluster, mutes)
	return plan
}

// oldCiphers are the health checks that Ceph 20 raises because the cluster still
// allows the keys that older clients and kernels have.
const oldCiphers = "AUTH_INSECURE_"

// OldCiphers returns which of the raised checks are only about old keys being
// allowed, which the spec wants unless it allows the new ones alone.
func OldCiphers(cluster *api.CephCluster, health ceph.Health) []string {
	allowed := cluster.Spec.Security.CephX.AllowedCiphers
	if len(allowed) > 0 && !slices.Contains(allowed, "aes") {
		return nil
	}
	var codes []string
	for code, check := range health.Checks {
		asked := cluster.Spec.HealthCheck.MuteHealthWarning[code].Policy == api.MutePolicyUnmute
		about := strings.HasPrefix(code, oldCiphers) && (strings.Contains(code, "KEY") || strings.Contains(code, "TICKETS"))
		if about && !check.Muted && !asked {
			codes = append(codes, code)
		}
	}
	sort.Strings(codes)
	return codes
}

func (p *Plan) decideMutes(cluster *api.CephCluster, mutes []ceph.HealthMute) {
	muted := map[string]bool{}
	for _, mute := range mutes {
		muted[mute.Code] = true
	}
	for code, wish := range cluster.Spec.HealthCheck.MuteHealthWarning {
		switch {
		case wish.Policy == api.MutePolicyMute && !muted[code]:
			p.Mute = append(p.Mute, code)
		case wish.Policy == api.MutePolicyUnmute && muted[code]:
			p.Unmute = append(p.Unmute, code)
		}
	}
	sort.Strings(p.Mute)
	sort.Strings(p.Unmute)
}

// section returns who the stored option is for, with its mask.
func section(option ceph.ConfigOption) string {
	if option.Mask == "" {
		return option.Section
	}
	return option.Section + "/" + option.Mask
}

// canonical spells an option as Ceph stores it: words joined by underscores.
func canonical(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return strings.NewReplacer(" ", "_", "-", "_").Replace(name)
}

func order(list []Option) []Option {
	sort.Slice(list, func(i, j int) bool {
		if list[i].Who != list[j].Who {
			return list[i].Who < list[j].Who
		}
		return list[i].Name < list[j].Name
	})
	return list
}

func boolean(on bool) string {
	if on {
		return "true"
	}
	return "false"
}
