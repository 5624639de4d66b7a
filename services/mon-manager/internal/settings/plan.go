package settings

import (
	"cmp"
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

// Note is what is remembered of an option that we set. Ceph stores what it
// understood: "4G" becomes 4294967296. Where that differs, Sent is what the spec
// says and Stored what Ceph made of it; else both are empty.
type Note struct {
	Option
	Sent   string `json:"sent,omitempty"`
	Stored string `json:"stored,omitempty"`
}

// Plan is what to change.
type Plan struct {
	Set    map[Option]string
	Remove []Option
	// Record is what to remember before anything is changed, sorted.
	Record []Note
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
			wanted[Option{who, ceph.OptionName(name)}] = value
		}
	}
	return wanted
}

// Decide compares what is wanted with what Ceph holds. Recorded is what an
// earlier pass set. A value is as wanted when it is the one that Ceph made of it
// before. What has to be removed stays recorded until it is.
func Decide(cluster *api.CephCluster, dump []ceph.ConfigOption, recorded []Note, mutes []ceph.HealthMute) Plan {
	plan := Plan{Set: map[Option]string{}}
	stored, notes := values(dump), map[Option]Note{}
	for _, note := range recorded {
		notes[note.Option] = note
	}
	wanted := Wanted(cluster)
	for option, value := range wanted {
		note := Note{Option: option}
		switch held, found := stored[option]; {
		case found && held == value:
		case found && notes[option] == Note{option, value, held}:
			note = notes[option]
		default:
			plan.Set[option] = value
		}
		plan.Record = append(plan.Record, note)
	}
	for option := range notes {
		if _, still := wanted[option]; still {
			continue
		}
		if _, found := stored[option]; found {
			plan.Remove = append(plan.Remove, option)
			plan.Record = append(plan.Record, Note{Option: option})
		}
	}
	order(plan.Remove)
	orderNotes(plan.Record)
	plan.decideMutes(cluster, mutes)
	return plan
}

// Learn returns what to remember once the plan was carried out: taken are the
// options that Ceph did not refuse, and dump is what it holds afterwards.
// Removed options are forgotten.
func Learn(plan Plan, taken []Option, dump []ceph.ConfigOption) []Note {
	stored := values(dump)
	var learned []Note
	for _, note := range plan.Record {
		if slices.Contains(plan.Remove, note.Option) {
			continue
		}
		sent := plan.Set[note.Option]
		if held, found := stored[note.Option]; found && held != sent && slices.Contains(taken, note.Option) {
			note.Sent, note.Stored = sent, held
		}
		learned = append(learned, note)
	}
	return learned
}

func values(dump []ceph.ConfigOption) map[Option]string {
	stored := map[Option]string{}
	for _, option := range dump {
		stored[Option{section(option), option.Name}] = option.Value
	}
	return stored
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

func order(list []Option) []Option {
	slices.SortFunc(list, compare)
	return list
}

func orderNotes(list []Note) {
	slices.SortFunc(list, func(a, b Note) int { return compare(a.Option, b.Option) })
}

func compare(a, b Option) int {
	return cmp.Or(strings.Compare(a.Who, b.Who), strings.Compare(a.Name, b.Name))
}

func boolean(on bool) string {
	if on {
		return "true"
	}
	return "false"
}
