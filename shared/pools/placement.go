package pools

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// sharedRules is the number of rules from which on pools share them. Ceph has
// room for 256, so not every one of many pools can have its own.
const sharedRules = 100

// rule returns a rule that places as the spec says, and plans it if there is
// none. A rule of the preferred name that places otherwise is left alone.
func (d *decision) rule(preferred string) string {
	want := d.wantPlacement()
	if len(d.seen.Rules) >= sharedRules && d.seen.Rules[preferred] == nil {
		for _, name := range slices.Sorted(maps.Keys(d.seen.Rules)) {
			if simple(d.seen.Rules[name]) && readPlacement(d.seen.Rules[name]) == want {
				return name
			}
		}
	}
	for _, name := range []string{preferred, ruleName(d.name, want)} {
		rule := d.seen.Rules[name]
		if rule == nil {
			d.do(Operation{Kind: CreateRule, Rule: ceph.CrushRuleSpec{
				Name: name, Root: want.root, FailureDomain: want.domain, DeviceClass: want.class,
			}})
			return name
		}
		if readPlacement(rule) == want {
			return name
		}
	}
	return ruleName(d.name, want)
}

// placement is what a simple rule says.
type placement struct{ root, domain, class string }

func (d *decision) wantPlacement() placement {
	want := placement{root: d.spec.CrushRoot, domain: d.spec.FailureDomain, class: d.spec.DeviceClass}
	if want.root == "" {
		want.root = api.DefaultCRUSHRoot
	}
	if want.domain == "" {
		want.domain = api.DefaultFailureDomain
	}
	return want
}

func ruleName(pool string, want placement) string {
	parts := []string{pool, want.domain}
	if want.class != "" {
		parts = append(parts, want.class)
	}
	return strings.Join(parts, separator)
}

// simple tells whether a rule is one that CreateRule makes: all copies across one
// failure domain.
func simple(rule *ceph.CrushRule) bool {
	const steps = 3
	return rule.Type == ceph.PoolReplicated && len(rule.Steps) == steps && strings.HasSuffix(rule.Steps[1].Op, "_firstn")
}

// readPlacement reads the first take and choose steps of a rule.
func readPlacement(rule *ceph.CrushRule) placement {
	var read placement
	for _, s := range rule.Steps {
		switch {
		case s.Op == "take" && read.root == "":
			read.root, read.class, _ = strings.Cut(s.ItemName, "~")
		case strings.HasPrefix(s.Op, "choose") && read.domain == "":
			read.domain = s.Type
		}
	}
	return read
}

// FailureDomain returns the failure domain of a rule.
func FailureDomain(rule *ceph.CrushRule) string {
	if rule == nil {
		return ""
	}
	return readPlacement(rule).domain
}

// placement compares what the spec says about placement with the rule in use.
func (d *decision) placement() {
	if d.seen.Rule == nil {
		return
	}
	is, want := readPlacement(d.seen.Rule), d.wantPlacement()
	var differ []string
	for _, field := range []struct{ name, asked, want, is string }{
		{"failureDomain", d.spec.FailureDomain, want.domain, is.domain},
		{"crushRoot", d.spec.CrushRoot, want.root, is.root},
		{"deviceClass", d.spec.DeviceClass, want.class, is.class},
	} {
		if field.asked != "" && field.want != field.is {
			differ = append(differ, fmt.Sprintf("`%s` is '%s' in Ceph, not '%s'", field.name, field.is, field.want))
		}
	}
	if len(differ) == 0 {
		return
	}
	switch {
	case d.wantType() == ceph.PoolErasure:
		d.drift("%s; an erasure coded pool keeps its placement", strings.Join(differ, ", "))
	case d.spec.EnableCrushUpdates == nil || !*d.spec.EnableCrushUpdates:
		d.drift("%s; set `enableCrushUpdates: true` to move the data", strings.Join(differ, ", "))
	default:
		d.set("crush_rule", d.rule(ruleName(d.name, want)))
	}
}
