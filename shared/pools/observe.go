package pools

import (
	"context"
	"errors"
	"fmt"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Map is one reading of the pools and CRUSH rules of a cluster.
type Map struct {
	// Pools and Rules by name; PoolNames and RulesByID by number.
	Pools     map[string]*ceph.Pool
	PoolNames map[int]string
	Rules     map[string]*ceph.CrushRule
	RulesByID map[int]*ceph.CrushRule
}

// Read reads the pools and CRUSH rules of a cluster.
func Read(ctx context.Context, client ceph.Client) (Map, error) {
	rules, err := client.CrushRuleDump(ctx)
	if err != nil {
		return Map{}, fmt.Errorf("read CRUSH rules: %w", err)
	}
	list, err := client.PoolList(ctx)
	if err != nil {
		return Map{}, fmt.Errorf("read pools: %w", err)
	}
	m := Map{
		Pools: map[string]*ceph.Pool{}, PoolNames: map[int]string{},
		Rules: map[string]*ceph.CrushRule{}, RulesByID: map[int]*ceph.CrushRule{},
	}
	for i := range rules {
		m.Rules[rules[i].Name], m.RulesByID[rules[i].ID] = &rules[i], &rules[i]
	}
	for i := range list {
		m.Pools[list[i].Name], m.PoolNames[list[i].ID] = &list[i], list[i].Name
	}
	return m, nil
}

// Observe reads what Ceph has for one pool beyond the map.
func Observe(ctx context.Context, client ceph.Client, m Map, want Want) (Observed, error) {
	return observe(ctx, client, m, want, func() (*Places, error) { return ReadPlaces(ctx, client) })
}

// observe asks for places when the pool is not there.
func observe(ctx context.Context, client ceph.Client, m Map, want Want, places func() (*Places, error)) (Observed, error) {
	seen := Observed{Pool: m.Pools[want.Name], Rules: m.Rules}
	profile := ProfileName(want.Name)
	if seen.Pool == nil {
		var err error
		if seen.Places, err = places(); err != nil {
			return seen, err
		}
	} else {
		seen.Rule = m.RulesByID[seen.Pool.CrushRule]
		settings, err := client.PoolGet(ctx, want.Name)
		if err != nil {
			return seen, fmt.Errorf("read settings of pool %q: %w", want.Name, err)
		}
		seen.Settings = settings.Settings
		profile = seen.Pool.ErasureCodeProfile
	}
	if !want.Spec.IsErasureCoded() || profile == "" {
		return seen, nil
	}
	var err error
	if seen.Profile, err = profileOf(ctx, client, profile); err != nil {
		return seen, err
	}
	seen.Default, err = profileOf(ctx, client, "default")
	return seen, err
}

// profileOf reads an erasure code profile; nil if there is none.
func profileOf(ctx context.Context, client ceph.Client, name string) (ceph.ErasureCodeProfile, error) {
	profile, err := client.ErasureCodeProfileGet(ctx, name)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read erasure code profile %q: %w", name, err)
	}
	return profile, nil
}
