package mgr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// memoKey is where Ceph keeps which options of modules we set.
const memoKey = "rook/mon-manager/mgr-options"

const (
	optionSSL       = "mgr/dashboard/ssl"
	optionSSLPort   = "mgr/dashboard/ssl_server_port"
	optionPort      = "mgr/dashboard/server_port"
	optionURLPrefix = "mgr/dashboard/url_prefix"
)

// Memo is what is remembered of the options of modules.
type Memo struct {
	// Options are the names of those that we set, sorted.
	Options []string `json:"options"`
	// Restart is whether the dashboard runs with options from before.
	Restart bool `json:"restart,omitempty"`
}

// OptionPlan is what to change about the options of modules.
type OptionPlan struct {
	Set    map[string]string
	Remove []string
	// Before is what to remember before the first change, After when all are
	// made.
	Before, After Memo
}

// DecideOptions compares the wanted options with those that Ceph holds. An
// option that we set and that is no longer wanted goes; those of others stay.
// Running is whether the dashboard runs: it reads some options when it starts.
func DecideOptions(wanted map[string]string, dump []ceph.ConfigOption, known Memo, running bool) OptionPlan {
	plan := OptionPlan{Set: map[string]string{}}
	held := map[string]string{}
	for _, option := range dump {
		if option.Section == "mgr" && option.Mask == "" {
			held[option.Name] = option.Value
		}
	}
	for name, value := range wanted {
		if now, found := held[name]; !found || now != value {
			plan.Set[name] = value
		}
	}
	for _, name := range known.Options {
		_, still := wanted[name]
		if _, found := held[name]; found && !still {
			plan.Remove = append(plan.Remove, name)
		}
	}
	changed := slices.AppendSeq(slices.Clone(plan.Remove), maps.Keys(plan.Set))
	restart := running && (known.Restart || slices.ContainsFunc(changed, readAtStart))
	plan.After = Memo{Options: slices.Sorted(maps.Keys(wanted)), Restart: restart}
	plan.Before = Memo{Options: slices.Concat(plan.After.Options, plan.Remove), Restart: restart}
	slices.Sort(plan.Before.Options)
	return plan
}

// readAtStart tells whether the dashboard reads the option when it starts only.
func readAtStart(name string) bool {
	return slices.Contains([]string{optionSSL, optionSSLPort, optionPort, optionURLPrefix}, name)
}

// options are the settings of modules that the spec implies, by option name.
func options(cluster *api.CephCluster) map[string]string {
	set := map[string]string{}
	if !cluster.Spec.Monitoring.MetricsDisabled {
		set["mgr/prometheus/server_port"] = strconv.Itoa(int(metricsPort(cluster)))
	}
	if !cluster.Spec.Dashboard.Enabled {
		return set
	}
	dashboard := cluster.Spec.Dashboard
	set[optionSSL] = strconv.FormatBool(dashboard.SSL)
	port := strconv.Itoa(int(dashboardPort(cluster)))
	if dashboard.SSL {
		set[optionSSLPort] = port
	} else {
		set[optionPort] = port
	}
	if dashboard.URLPrefix != "" {
		set[optionURLPrefix] = dashboard.URLPrefix
	}
	if dashboard.PrometheusEndpoint != "" {
		set["mgr/dashboard/PROMETHEUS_API_HOST"] = dashboard.PrometheusEndpoint
		set["mgr/dashboard/PROMETHEUS_API_SSL_VERIFY"] = strconv.FormatBool(dashboard.PrometheusEndpointSSLVerify)
	}
	return set
}

// applyOptions sets the options of modules that the spec implies and removes
// those that it no longer does. A dashboard that has to read them anew is turned
// off here; the next step turns it on.
func (p *pass) applyOptions(ctx context.Context) (step.Outcome, error) {
	dump, err := p.seen.client.ConfigDump(ctx)
	if err != nil {
		return step.None, err
	}
	known, raw, err := p.recall(ctx)
	if err != nil {
		return step.None, err
	}
	running := p.cluster.Spec.Dashboard.Enabled && slices.Contains(p.seen.mgrmap.Modules, moduleDashboard)
	plan := DecideOptions(options(p.cluster), dump, known, running)
	if raw, err = p.remember(ctx, plan.Before, raw); err != nil {
		return step.None, err
	}
	for _, name := range slices.Sorted(maps.Keys(plan.Set)) {
		if err := p.seen.client.ConfigSetForced(ctx, "mgr", name, plan.Set[name]); err != nil {
			return step.None, err
		}
	}
	for _, name := range plan.Remove {
		if err := p.seen.client.ConfigRemove(ctx, "mgr", name); err != nil {
			return step.None, err
		}
	}
	if plan.After.Restart {
		if err := p.seen.client.MgrModuleDisable(ctx, moduleDashboard); err != nil {
			return step.None, err
		}
		plan.After.Restart = false
	}
	_, err = p.remember(ctx, plan.After, raw)
	return step.Done, err
}

func (p *pass) recall(ctx context.Context) (Memo, []byte, error) {
	raw, err := p.seen.client.ConfigKeyGet(ctx, memoKey)
	if errors.Is(err, ceph.ErrNotFound) {
		return Memo{}, nil, nil
	}
	if err != nil {
		return Memo{}, nil, err
	}
	var known Memo
	if err := json.Unmarshal(raw, &known); err != nil {
		return Memo{}, nil, fmt.Errorf("read %s: %w", memoKey, err)
	}
	return known, bytes.TrimSpace(raw), nil
}

// remember writes the memo unless it is what is written, and returns it.
func (p *pass) remember(ctx context.Context, memo Memo, raw []byte) ([]byte, error) {
	body, err := json.Marshal(memo)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", memoKey, err)
	}
	if bytes.Equal(body, raw) {
		return raw, nil
	}
	return body, p.seen.client.ConfigKeySet(ctx, memoKey, body)
}
