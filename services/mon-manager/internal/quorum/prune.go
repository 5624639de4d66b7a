package quorum

import (
	"context"
	"sort"

	policyv1 "k8s.io/api/policy/v1"
)

// pruneMonitors deletes the objects of monitors that are neither members nor in
// the monmap. It does nothing without a quorum.
func (p *pass) pruneMonitors(ctx context.Context) error {
	if p.seen.facts.Quorum == nil {
		return nil
	}
	for _, name := range p.leftovers() {
		if d := p.seen.deployments[name]; d != nil {
			if err := p.apply.Delete(ctx, d); err != nil {
				return err
			}
		}
		if s := p.seen.services[name]; s != nil {
			if err := p.apply.Delete(ctx, s); err != nil {
				return err
			}
		}
		if c := p.seen.claims[name]; c != nil {
			if err := p.apply.Delete(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pass) leftovers() []string {
	found := map[string]bool{}
	for name := range p.seen.deployments {
		found[name] = true
	}
	for name := range p.seen.services {
		found[name] = true
	}
	for name := range p.seen.claims {
		found[name] = true
	}
	var list []string
	for name := range found {
		if name != "" && find(p.plan.Members, name) < 0 && !inMap(p.seen.facts.Quorum, name) {
			list = append(list, name)
		}
	}
	sort.Strings(list)
	return list
}

func (p *pass) pruneBudget(ctx context.Context) error {
	return p.apply.Prune(ctx, p.cluster, &policyv1.PodDisruptionBudgetList{})
}
