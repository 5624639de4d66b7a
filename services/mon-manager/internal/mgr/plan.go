package mgr

import (
	"slices"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	modulePrometheus = "prometheus"
	moduleDashboard  = "dashboard"
)

// Managers returns the names of the specified managers: a, b and so on.
func Managers(cluster *api.CephCluster) []string {
	list := make([]string, cluster.Spec.MgrCount())
	for i := range list {
		list[i] = string(rune('a' + i))
	}
	return list
}

// Modules is what to change about the modules.
type Modules struct {
	Enable  []string
	Disable []string
	// Missing are wanted modules that the image does not have or that cannot
	// run there, with the reason.
	Missing map[string]string
}

// DecideModules compares the wanted modules with what is on. It touches only
// modules that the spec speaks of.
func DecideModules(cluster *api.CephCluster, seen ceph.MgrModules) Modules {
	plan := Modules{Missing: map[string]string{}}
	for name, on := range wantedModules(cluster) {
		enabled := slices.Contains(seen.Enabled, name)
		switch {
		case slices.Contains(seen.AlwaysOn, name):
		case on && !enabled:
			if reason := cannotRun(seen, name); reason != "" {
				plan.Missing[name] = reason
				continue
			}
			plan.Enable = append(plan.Enable, name)
		case !on && enabled:
			plan.Disable = append(plan.Disable, name)
		}
	}
	slices.Sort(plan.Enable)
	slices.Sort(plan.Disable)
	return plan
}

func wantedModules(cluster *api.CephCluster) map[string]bool {
	wanted := map[string]bool{}
	for _, module := range cluster.Spec.Mgr.Modules {
		wanted[module.Name] = module.Enabled
	}
	wanted[modulePrometheus] = !cluster.Spec.Monitoring.MetricsDisabled
	wanted[moduleDashboard] = cluster.Spec.Dashboard.Enabled
	return wanted
}

func cannotRun(seen ceph.MgrModules, name string) string {
	at := slices.IndexFunc(seen.Disabled, func(m ceph.MgrModule) bool { return m.Name == name })
	switch {
	case at < 0:
		return "the Ceph image does not have it"
	case !seen.Disabled[at].CanRun:
		return seen.Disabled[at].ErrorString
	}
	return ""
}

// balancerMode returns the mode that the spec asks for, or "".
func balancerMode(cluster *api.CephCluster) string {
	for _, module := range cluster.Spec.Mgr.Modules {
		if module.Name == "balancer" && module.Enabled {
			return module.Settings.BalancerMode
		}
	}
	return ""
}

// NextToUpdate returns which of the outdated managers may be restarted now:
// the standbys first, one at a time, while all others run; then the active one,
// after another took over. Fail is true when the active one has to hand over
// first.
func NextToUpdate(outdated []string, active string, standbys []string, ready map[string]bool) (name string, fail bool) {
	for _, candidate := range outdated {
		if !ready[candidate] {
			return candidate, false // it can only get better
		}
	}
	for _, candidate := range outdated {
		if candidate != active {
			return candidate, false
		}
	}
	if len(outdated) == 0 {
		return "", false
	}
	return active, len(standbys) > 0
}
