package pools_test

import (
	"cmp"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/pools"
)

func replicated(edit ...func(*api.CephBlockPool)) *api.CephBlockPool {
	p := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: "data"}}
	p.Spec.Replicated.Size = 3
	for _, e := range edit {
		e(p)
	}
	return p
}

func copies(n int32) func(*api.CephBlockPool) {
	return func(p *api.CephBlockPool) { p.Spec.Replicated.Size = n }
}

// wanted is what the object asks for.
func wanted(p *api.CephBlockPool) pools.Want {
	application := cmp.Or(p.Spec.Application, map[string]string{".mgr": "mgr"}[p.Spec.Name], "rbd")
	return pools.Want{Name: p.PoolName(), Spec: p.Spec.PoolSpec, Application: application}
}

func erasure(edit ...func(*api.CephBlockPool)) *api.CephBlockPool {
	p := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: "data"}}
	p.Spec.ErasureCoded = api.ErasureCodedSpec{DataChunks: 4, CodingChunks: 2}
	for _, e := range edit {
		e(p)
	}
	return p
}

func rule(name, root, domain string) *ceph.CrushRule {
	return &ceph.CrushRule{ID: 1, Name: name, Steps: []ceph.CrushStep{
		{Op: "take", ItemName: root}, {Op: "chooseleaf_firstn", Type: domain}, {Op: "emit"},
	}}
}

// there is a pool as the spec of replicated wants it.
func there(edit ...func(*pools.Observed)) pools.Observed {
	own := rule("data", "default", "host")
	seen := pools.Observed{
		Pool: &ceph.Pool{ID: 2, Name: "data", Type: ceph.PoolReplicated, Size: 3, PGAutoscaleMode: "on",
			ApplicationMetadata: map[string]map[string]string{"rbd": {}}},
		Settings: map[string]string{"size": "3"},
		Rule:     own,
		Rules:    map[string]*ceph.CrushRule{"data": own},
	}
	for _, e := range edit {
		e(&seen)
	}
	return seen
}

func thereErasure(edit ...func(*pools.Observed)) pools.Observed {
	seen := there(func(o *pools.Observed) {
		o.Pool.Type, o.Pool.Size, o.Pool.FlagNames = ceph.PoolErasure, 6, "hashpspool,ec_overwrites"
		o.Profile = ceph.ErasureCodeProfile{"k": "4", "m": "2", "plugin": "jerasure"}
	})
	for _, e := range edit {
		e(&seen)
	}
	return seen
}

// many are the rules of a cluster with many pools.
func many() map[string]*ceph.CrushRule {
	rules := map[string]*ceph.CrushRule{}
	for i := range 100 {
		name := fmt.Sprintf("other-%03d", i)
		rules[name] = rule(name, "default", "host")
		rules[name].Type = ceph.PoolReplicated
	}
	return rules
}

func set(key, value string) pools.Operation {
	return pools.Operation{Kind: pools.SetParameter, Name: "data", Key: key, Value: value}
}

func param(key, value string) func(*api.CephBlockPool) {
	return func(p *api.CephBlockPool) {
		if p.Spec.Parameters == nil {
			p.Spec.Parameters = map[string]string{}
		}
		p.Spec.Parameters[key] = value
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	create := pools.Operation{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "data", Size: 3}}
	makeRule := pools.Operation{Kind: pools.CreateRule, Rule: ceph.CrushRuleSpec{Name: "data", Root: "default", FailureDomain: "host"}}
	initialize := pools.Operation{Kind: pools.Init, Name: "data"}
	cases := map[string]struct {
		spec *api.CephBlockPool
		seen pools.Observed
		want pools.Plan
	}{
		"does_nothing_to_a_pool_that_is_as_specified": {replicated(), there(), pools.Plan{}},
		"creates_rule_pool_and_application": {replicated(), pools.Observed{}, pools.Plan{
			Operations: []pools.Operation{makeRule, create, initialize}}},
		"leaves_the_number_of_copies_to_ceph": {replicated(copies(0)), pools.Observed{Rules: there().Rules}, pools.Plan{
			Operations: []pools.Operation{{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "data"}}, initialize}}},
		"leaves_copies_that_ceph_chose_alone": {replicated(copies(0)), there(), pools.Plan{}},
		"uses_a_rule_that_is_there": {replicated(), pools.Observed{Rules: there().Rules}, pools.Plan{
			Operations: []pools.Operation{create, initialize}}},
		"leaves_a_rule_alone_that_places_otherwise": {
			replicated(),
			pools.Observed{Rules: map[string]*ceph.CrushRule{"data": rule("data", "default", "osd")}},
			pools.Plan{Operations: []pools.Operation{
				{Kind: pools.CreateRule, Rule: ceph.CrushRuleSpec{Name: "data_host", Root: "default", FailureDomain: "host"}},
				{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "data_host", Size: 3}}, initialize}}},
		"creates_with_device_class_root_quota_and_parameters": {
			replicated(param("pg_num", "8"), param("compression_mode", "force"), func(p *api.CephBlockPool) {
				p.Spec.DeviceClass, p.Spec.CrushRoot, p.Spec.FailureDomain = "ssd", "fast", "rack"
				p.Spec.Quotas = api.QuotaSpec{MaxSize: ptr.To("10Gi"), MaxObjects: ptr.To(int64(1000))}
				p.Spec.Replicated.TargetSizeRatio = 0.5
			}), pools.Observed{}, pools.Plan{Operations: []pools.Operation{
				{Kind: pools.CreateRule, Rule: ceph.CrushRuleSpec{Name: "data", Root: "fast", FailureDomain: "rack", DeviceClass: "ssd"}},
				{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "data", Size: 3, PGNum: 8}},
				set("compression_mode", "force"), set("target_size_ratio", "0.5"), initialize,
				{Kind: pools.SetMaxBytes, Name: "data", Limit: 10 << 30}, {Kind: pools.SetMaxObjects, Name: "data", Limit: 1000}}}},
		"begins_with_the_least_number_of_PGs": {replicated(param("pg_num_min", "8")), pools.Observed{Rules: there().Rules}, pools.Plan{
			Operations: []pools.Operation{
				{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "data", Size: 3, PGNum: 8, PGNumMin: 8}}, initialize}}},
		"raises_pg_num_to_its_least": {replicated(param("pg_num_min", "64")), there(func(o *pools.Observed) {
			o.Settings["pg_num"] = "32"
		}), pools.Plan{Operations: []pools.Operation{set("pg_num", "64"), set("pg_num_min", "64")}}},
		"leaves_a_pool_with_more_PGs_than_the_least_alone": {replicated(param("pg_num_min", "8")), there(func(o *pools.Observed) {
			o.Settings["pg_num"] = "32"
		}), pools.Plan{Operations: []pools.Operation{set("pg_num_min", "8")}}},
		"leaves_the_number_of_PGs_to_whoever_switched_the_autoscaler_off": {replicated(param("pg_num_min", "64")), there(func(o *pools.Observed) {
			o.Pool.PGAutoscaleMode, o.Settings["pg_num"] = "off", "32"
		}), pools.Plan{Operations: []pools.Operation{set("pg_num_min", "64")}}},
		"shares_a_rule_when_there_are_many": {replicated(), pools.Observed{Rules: many()}, pools.Plan{
			Operations: []pools.Operation{{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "other-000", Size: 3}}, initialize}}},
		"confirms_a_pool_with_one_copy": {replicated(func(p *api.CephBlockPool) { p.Spec.Replicated.Size = 1 }),
			pools.Observed{Rules: there().Rules}, pools.Plan{Operations: []pools.Operation{
				{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", Rule: "data", Size: 1}, Confirmed: ceph.Really}, initialize}}},
		"creates_an_erasure_coded_pool_from_the_default_profile": {
			erasure(func(p *api.CephBlockPool) { p.Spec.FailureDomain = "osd" }),
			pools.Observed{Default: ceph.ErasureCodeProfile{"plugin": "jerasure", "technique": "reed_sol_van"}},
			pools.Plan{Operations: []pools.Operation{
				{Kind: pools.SetProfile, Name: "data_ecprofile", Profile: ceph.ErasureCodeProfile{
					"k": "4", "m": "2", "plugin": "jerasure", "technique": "reed_sol_van", "crush-failure-domain": "osd", "crush-root": "default"}},
				{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", ErasureCodeProfile: "data_ecprofile"}},
				set("allow_ec_overwrites", "true"), initialize}}},
		"drops_the_technique_of_another_algorithm": {
			erasure(func(p *api.CephBlockPool) { p.Spec.ErasureCoded.Algorithm = "isa" }),
			pools.Observed{Default: ceph.ErasureCodeProfile{"plugin": "jerasure", "technique": "reed_sol_van"}},
			pools.Plan{Operations: []pools.Operation{
				{Kind: pools.SetProfile, Name: "data_ecprofile", Profile: ceph.ErasureCodeProfile{
					"k": "4", "m": "2", "plugin": "isa", "crush-failure-domain": "host", "crush-root": "default"}},
				{Kind: pools.CreatePool, Pool: ceph.PoolSpec{Name: "data", ErasureCodeProfile: "data_ecprofile"}},
				set("allow_ec_overwrites", "true"), initialize}}},
		"mends_the_number_of_copies": {replicated(func(p *api.CephBlockPool) { p.Spec.Replicated.Size = 2 }), there(), pools.Plan{Operations: []pools.Operation{set("size", "2")}}},
		"mends_a_parameter":          {replicated(param("min_size", "1")), there(), pools.Plan{Operations: []pools.Operation{set("min_size", "1")}}},
		"takes_equal_values_as_equal": {replicated(param("target_size_bytes", "1Gi"), param("bulk", "1"), param("x", "0.50")), there(func(o *pools.Observed) {
			o.Settings = map[string]string{"target_size_bytes": "1073741824", "bulk": "true", "x": "0.5"}
		}), pools.Plan{}},
		"reads_sizes_as_Ceph_does_in_powers_of_two": {replicated(param("target_size_bytes", "10G"), param("bulk", "true")), there(func(o *pools.Observed) {
			o.Settings = map[string]string{"target_size_bytes": "10737418240", "bulk": "true"}
		}), pools.Plan{}},
		"does_not_take_a_decimal_size_for_a_binary_one": {replicated(param("target_size_bytes", "10GB")), there(func(o *pools.Observed) {
			o.Settings = map[string]string{"target_size_bytes": "10000000000"}
		}), pools.Plan{Operations: []pools.Operation{set("target_size_bytes", "10GB")}}},
		"takes_what_Ceph_does_not_report_for_not_set": {
			replicated(param("target_size_bytes", "0"), param("target_size_ratio", "0.0"), param("compression_mode", "unset"), param("csum_type", "crc32c")),
			there(), pools.Plan{Operations: []pools.Operation{set("csum_type", "crc32c")}}},
		"waits_for_placement_groups_that_are_on_their_way": {replicated(param("pg_num", "64"), param("pgp_num", "64")), there(func(o *pools.Observed) {
			o.Pool.PGAutoscaleMode, o.Settings["pg_num"], o.Settings["pgp_num"] = "off", "33", "32"
			o.Pool.PGNumTarget, o.Pool.PGPNumTarget = 64, 64
		}), pools.Plan{}},
		"sets_pg_num_that_Ceph_is_not_on_its_way_to": {replicated(param("pg_num", "64")), there(func(o *pools.Observed) {
			o.Pool.PGAutoscaleMode, o.Settings["pg_num"], o.Pool.PGNumTarget = "off", "64", 32
		}), pools.Plan{Operations: []pools.Operation{set("pg_num", "64")}}},
		"leaves_pg_num_to_the_autoscaler": {replicated(param("pg_num", "64")), there(), pools.Plan{}},
		"sets_pg_num_where_there_is_no_autoscaler": {replicated(param("pg_num", "64")), there(func(o *pools.Observed) {
			o.Pool.PGAutoscaleMode, o.Settings["pg_num"] = "off", "32"
		}), pools.Plan{Operations: []pools.Operation{set("pg_num", "64")}}},
		"reads_the_old_compression_field":             {replicated(func(p *api.CephBlockPool) { p.Spec.CompressionMode = "passive" }), there(), pools.Plan{Operations: []pools.Operation{set("compression_mode", "passive")}}},
		"removes_a_quota_that_is_no_longer_asked_for": {replicated(), there(func(o *pools.Observed) { o.Pool.QuotaMaxBytes = 1 }), pools.Plan{Operations: []pools.Operation{{Kind: pools.SetMaxBytes, Name: "data"}}}},
		"reports_a_failure_domain_that_it_may_not_change": {replicated(func(p *api.CephBlockPool) { p.Spec.FailureDomain = "zone" }), there(), pools.Plan{
			Drift: []string{"`failureDomain` is 'host' in Ceph, not 'zone'; set `enableCrushUpdates: true` to move the data"}}},
		"moves_the_data_when_it_may": {replicated(func(p *api.CephBlockPool) {
			p.Spec.FailureDomain, p.Spec.DeviceClass, p.Spec.EnableCrushUpdates = "zone", "ssd", ptr.To(true)
		}), there(), pools.Plan{Operations: []pools.Operation{
			{Kind: pools.CreateRule, Rule: ceph.CrushRuleSpec{Name: "data_zone_ssd", Root: "default", FailureDomain: "zone", DeviceClass: "ssd"}},
			set("crush_rule", "data_zone_ssd")}}},
		"ignores_placement_that_nobody_asked_for":      {replicated(), there(func(o *pools.Observed) { o.Rule = rule("data", "fast~ssd", "rack") }), pools.Plan{}},
		"does_nothing_to_a_settled_erasure_coded_pool": {erasure(), thereErasure(), pools.Plan{}},
		"reports_another_erasure_code": {erasure(), thereErasure(func(o *pools.Observed) { o.Profile["k"] = "8" }), pools.Plan{
			Drift: []string{"erasure code k is '8' in Ceph, not '4'; it cannot be changed, create another pool"}}},
		"allows_overwrites_again":          {erasure(), thereErasure(func(o *pools.Observed) { o.Pool.FlagNames = "hashpspool" }), pools.Plan{Operations: []pools.Operation{set("allow_ec_overwrites", "true")}}},
		"refuses_a_pool_of_the_other_type": {erasure(), there(), pools.Plan{Invalid: `Pool "data" is replicated in Ceph; choose another name, or make the spec fit`}},
		"refuses_a_quota_that_is_no_size":  {replicated(func(p *api.CephBlockPool) { p.Spec.Quotas.MaxSize = ptr.To("much") }), there(), pools.Plan{Invalid: "`quotas.maxSize` must be a size such as 10Gi, not 'much'"}},
		"names_the_application":            {replicated(func(p *api.CephBlockPool) { p.Spec.Application = "mine" }), there(func(o *pools.Observed) { o.Pool.ApplicationMetadata = nil }), pools.Plan{Operations: []pools.Operation{{Kind: pools.EnableApplication, Name: "data", Key: "mine"}}}},
		"reports_the_pool_of_another_application": {replicated(), there(func(o *pools.Observed) {
			o.Pool.ApplicationMetadata = map[string]map[string]string{"cephfs": {}}
		}), pools.Plan{Drift: []string{"the pool is used by application 'cephfs' in Ceph, not 'rbd'; choose another pool"}}},
		"sizes_the_pool_of_the_mgr": {replicated(func(p *api.CephBlockPool) { p.Spec.Name = ".mgr" }), there(func(o *pools.Observed) {
			o.Pool.Name, o.Pool.Size, o.Pool.ApplicationMetadata = ".mgr", 2, map[string]map[string]string{"mgr": {}}
		}), pools.Plan{Operations: []pools.Operation{{Kind: pools.SetParameter, Name: ".mgr", Key: "size", Value: "3"}}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(tc.want, pools.Decide(wanted(tc.spec), tc.seen)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}
