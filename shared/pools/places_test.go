package pools_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/pools"
)

// on says where data is placed.
func on(root, domain, class string) func(*api.CephBlockPool) {
	return func(p *api.CephBlockPool) {
		p.Spec.CrushRoot, p.Spec.FailureDomain, p.Spec.DeviceClass = root, domain, class
	}
}

func chunks(k, m int32) func(*api.CephBlockPool) {
	return func(p *api.CephBlockPool) { p.Spec.ErasureCoded.DataChunks, p.Spec.ErasureCoded.CodingChunks = k, m }
}

// threeHosts have an OSD of class hdd each, and the first one an OSD of class ssd
// besides; there is a rack without OSDs, and a root of its own with one host.
func threeHosts(t *testing.T) *cephtest.Cluster {
	t.Helper()
	cluster := cephtest.New(t, cephtest.Mons("a"), cephtest.OSDs(3))
	add := func(class string, at ...string) {
		uuid := fmt.Sprintf("00000000-0000-4000-8000-1%011d", len(cluster.OSDIDs()))
		id, err := cluster.Client().OSDNew(t.Context(), ceph.OSDNewRequest{UUID: uuid, CephxSecret: cephtest.DefaultSecret})
		if err != nil {
			t.Fatal(err)
		}
		cluster.StartOSD(id, cephtest.OSDStart{Location: at, Class: class, Weight: 1})
	}
	add("ssd", "root=default", "host=host0")
	add("hdd", "root=other", "host=far")
	if err := cluster.Client().CrushAddBucket(t.Context(), "empty", "rack", ceph.Location{"root=default"}); err != nil {
		t.Fatal(err)
	}
	return cluster
}

func TestAPoolThatCouldNotServeIsNotPlanned(t *testing.T) {
	t.Parallel()
	places, err := pools.ReadPlaces(t.Context(), threeHosts(t).Client())
	if err != nil {
		t.Fatal(err)
	}
	tooFew := func(least int, kind string, count string, add, fewer string) string {
		return fmt.Sprintf("Pool 'data' needs at least %d failure domains of type %s to serve, and there %s; add %s, choose %s, or another failureDomain",
			least, kind, count, add, fewer)
	}
	custom := rule("data", "default", "host")
	custom.Type, custom.Steps = ceph.PoolReplicated, append(custom.Steps, custom.Steps...)
	simple := rule("data", "default", "host")
	simple.Type = ceph.PoolReplicated
	const noDoubt = ""
	cases := map[string]struct {
		spec *api.CephBlockPool
		edit func(*pools.Observed)
		want string
	}{
		"three_copies_fit":                      {replicated(), nil, noDoubt},
		"five_copies_serve_with_three":          {replicated(copies(5)), nil, noDoubt},
		"six_copies_serve_with_three":           {replicated(copies(6)), nil, noDoubt},
		"seven_copies_need_four":                {replicated(copies(7)), nil, tooFew(4, "host", "are 3", "hosts with OSDs", "a smaller size")},
		"seven_copies_on_a_rule_that_is_there":  {replicated(copies(7)), func(o *pools.Observed) { o.Rules = map[string]*ceph.CrushRule{"data": simple} }, tooFew(4, "host", "are 3", "hosts with OSDs", "a smaller size")},
		"a_rule_of_somebody_else_is_trusted":    {replicated(copies(7)), func(o *pools.Observed) { o.Rules = map[string]*ceph.CrushRule{"data": custom} }, noDoubt},
		"copies_that_may_be_fewer":              {replicated(copies(7), param("min_size", "2")), nil, noDoubt},
		"copies_that_may_not_be_fewer":          {replicated(copies(4), param("min_size", "4")), nil, tooFew(4, "host", "are 3", "hosts with OSDs", "a smaller size")},
		"copies_that_may_be_fewer_in_all_pools": {replicated(copies(7)), func(o *pools.Observed) { o.Places = &pools.Places{Tree: places.Tree, MinSize: 1} }, noDoubt},
		"several_copies_in_a_failure_domain":    {replicated(copies(6), func(p *api.CephBlockPool) { p.Spec.Replicated.ReplicasPerFailureDomain = 2 }), nil, noDoubt},
		"one_copy":                              {replicated(copies(1), on("other", "", "")), nil, noDoubt},
		"copies_below_a_small_root":             {replicated(on("other", "", "")), nil, tooFew(2, "host", "is 1", "hosts with OSDs", "a smaller size")},
		"copies_on_OSDs":                        {replicated(copies(7), on("", "osd", "")), nil, noDoubt},
		"copies_on_too_few_OSDs":                {replicated(copies(9), on("", "osd", "")), nil, tooFew(5, "osd", "are 4", "OSDs", "a smaller size")},
		"copies_that_Ceph_counts":               {replicated(copies(0), on("other", "", "")), nil, noDoubt},
		"copies_on_few_OSDs_of_a_class":         {replicated(on("", "", "ssd")), nil, tooFew(2, "host with OSDs of class 'ssd'", "is 1", "hosts with OSDs", "a smaller size")},
		"a_class_of_no_OSD": {replicated(on("", "", "nvme")), nil,
			"Pool 'data' needs OSDs of device class 'nvme', and there are none; correct `deviceClass` (known: hdd, ssd), or add such OSDs"},
		"a_type_without_a_bucket": {replicated(on("", "zone", "")), nil,
			"Pool 'data' needs failure domains of type zone, and there are none; correct `failureDomain` (known: host, osd), or add some with OSDs"},
		"a_type_without_OSDs": {replicated(on("", "rack", "")), nil,
			"Pool 'data' needs failure domains of type rack, and there are none; correct `failureDomain` (known: host, osd), or add some with OSDs"},
		"a_root_that_is_not_there": {replicated(on("fast", "", "")), nil,
			"Pool 'data' needs the CRUSH bucket 'fast', and there is none; correct `crushRoot`, or wait for its OSDs"},
		"a_cluster_without_OSDs": {replicated(on("", "", "ssd")), func(o *pools.Observed) { o.Places = without(places) },
			tooFew(2, "host with OSDs of class 'ssd'", "are 0", "hosts with OSDs", "a smaller size")},
		"two_chunks_and_one":   {erasure(chunks(2, 1)), nil, noDoubt},
		"three_chunks_and_one": {erasure(chunks(3, 1)), nil, noDoubt},
		"two_chunks_and_two":   {erasure(chunks(2, 2)), nil, noDoubt},
		"four_chunks_and_two":  {erasure(), nil, tooFew(5, "host", "are 3", "hosts with OSDs", "fewer chunks")},
		"many_chunks_of_a_class_that_is_not_there": {erasure(on("", "", "nvme")), nil,
			"Pool 'data' needs OSDs of device class 'nvme', and there are none; correct `deviceClass` (known: hdd, ssd), or add such OSDs"},
		"several_chunks_in_a_failure_domain": {erasure(func(p *api.CephBlockPool) {
			p.Spec.ErasureCoded.CrushNumFailureDomains, p.Spec.ErasureCoded.CrushOSDsPerFailureDomain = 3, 2
		}), nil, noDoubt},
		"chunks_for_which_somebody_made_a_rule":     {erasure(), func(o *pools.Observed) { o.Rules = map[string]*ceph.CrushRule{"data": custom} }, noDoubt},
		"chunks_for_which_somebody_made_a_profile":  {erasure(), func(o *pools.Observed) { o.Profile = ceph.ErasureCodeProfile{"k": "4", "m": "2", "plugin": "lrc"} }, noDoubt},
		"chunks_for_which_we_have_made_the_profile": {erasure(), func(o *pools.Observed) { o.Profile = ours() }, tooFew(5, "host", "are 3", "hosts with OSDs", "fewer chunks")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := pools.Observed{Places: places}
			if tc.edit != nil {
				tc.edit(&seen)
			}
			plan := pools.Decide(wanted(tc.spec), seen)
			if plan.Missing != tc.want || (len(plan.Operations) > 0) != (tc.want == noDoubt) {
				t.Errorf("want %q, got %q and %d operations", tc.want, plan.Missing, len(plan.Operations))
			}
		})
	}
}

// without are places whose OSDs are gone.
func without(places *pools.Places) *pools.Places {
	empty := &pools.Places{}
	for _, node := range places.Tree.Nodes {
		if node.Type == "root" {
			node.Children = nil
			empty.Tree.Nodes = append(empty.Tree.Nodes, node)
		}
	}
	return empty
}

func ours() ceph.ErasureCodeProfile {
	return ceph.ErasureCodeProfile{"k": "4", "m": "2", "crush-failure-domain": "host", "crush-root": "default", "plugin": "jerasure"}
}

func TestWhatAPoolLacksIsWaitedForAndNoFailure(t *testing.T) {
	outcome := pools.Plan{Missing: "too few"}.Outcome()
	if outcome.IsDone() || outcome.IsStalled() || outcome.Reason != api.ReasonTooFewFailureDomains || outcome.After != 10*time.Second {
		t.Errorf("got %+v", outcome)
	}
	if outcome := (pools.Plan{Invalid: "wrong"}).Outcome(); !outcome.IsStalled() || outcome.Reason != api.ReasonInvalidSpec {
		t.Errorf("got %+v", outcome)
	}
	if outcome := (pools.Plan{}).Outcome(); !outcome.IsDone() {
		t.Errorf("got %+v", outcome)
	}
}

func TestPlacesAreReadForNewPoolsOnly(t *testing.T) {
	cluster := threeHosts(t)
	client := cluster.Client()
	if err := client.ConfigSet(t.Context(), "global", "osd_pool_default_min_size", "1"); err != nil {
		t.Fatal(err)
	}
	for _, there := range []bool{false, true} {
		cluster.ForgetCommands()
		m, err := pools.Read(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := pools.Observe(t.Context(), client, m, wanted(replicated()))
		if err != nil || (seen.Places == nil) != there || (cluster.Sent("osd tree") == 0) != there {
			t.Errorf("pool there: %t; places %+v, read %d times (%v)", there, seen.Places, cluster.Sent("osd tree"), err)
		}
		if there {
			continue
		}
		if seen.Places.MinSize != 1 {
			t.Errorf("default min_size %d", seen.Places.MinSize)
		}
		if err := client.PoolCreate(t.Context(), ceph.PoolSpec{Name: "data"}, ceph.Unconfirmed); err != nil {
			t.Fatal(err)
		}
		if made, _ := cluster.Pool("data"); made.MinSize != 1 {
			t.Errorf("the fake made a pool with min_size %d", made.MinSize)
		}
	}
}

func TestPlacesThatCannotBeReadAreNotGuessed(t *testing.T) {
	for _, prefix := range []string{"osd tree", "config get"} {
		cluster := threeHosts(t)
		cluster.FailNext(prefix, ceph.ErrUnreachable)
		if _, err := pools.Observe(t.Context(), cluster.Client(), pools.Map{}, wanted(replicated())); err == nil || !strings.HasPrefix(err.Error(), "read ") {
			t.Errorf("%s: %v", prefix, err)
		}
	}
}
