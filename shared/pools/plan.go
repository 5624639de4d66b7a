package pools

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Observed is what Ceph has for one pool.
type Observed struct {
	// Pool is nil when there is none.
	Pool *ceph.Pool
	// Settings of the pool as text, as `osd pool get all` prints them.
	Settings map[string]string
	// Rule that the pool uses, nil if unknown.
	Rule *ceph.CrushRule
	// Rules by name.
	Rules map[string]*ceph.CrushRule
	// Profile of the pool's erasure code, or of the name that it would have; nil
	// if there is none. Default is Ceph's own profile.
	Profile, Default ceph.ErasureCodeProfile
	// Places for a pool that is to be made; nil has it made wherever the spec says.
	Places *Places
}

// Plan is what to do, in order, and what is left as it is.
type Plan struct {
	Operations []Operation
	// Drift are the differences that are not mended, worded for people.
	Drift []string
	// Invalid says why the spec cannot be had; nothing is done then.
	Invalid string
	// Missing says what the cluster lacks for the pool to serve; it is not made then.
	Missing string
}

// Outcome is done when the plan can be carried out.
func (p Plan) Outcome() step.Outcome {
	switch {
	case p.Invalid != "":
		return step.Stall(api.ReasonInvalidSpec, p.Invalid)
	case p.Missing != "":
		return step.Retry(placesRetry, api.ReasonTooFewFailureDomains, p.Missing)
	}
	return step.Done
}

// Kind of operation.
type Kind string

// The operations, in the words of Ceph.
const (
	SetProfile        Kind = "erasure-code-profile set"
	CreateRule        Kind = "crush rule create-replicated"
	CreatePool        Kind = "pool create"
	SetParameter      Kind = "pool set"
	EnableApplication Kind = "pool application enable"
	SetMaxBytes       Kind = "pool set-quota max_bytes"
	SetMaxObjects     Kind = "pool set-quota max_objects"
	Init              Kind = "rbd pool init"
)

// Operation is one command to Ceph.
type Operation struct {
	Kind    Kind
	Pool    ceph.PoolSpec
	Rule    ceph.CrushRuleSpec
	Name    string
	Profile ceph.ErasureCodeProfile
	Key     string
	Value   string
	Limit   uint64
	// Confirmed operations are those that Ceph wants to be asked for twice.
	Confirmed ceph.Confirmation
}

const (
	rbdTag    = "rbd"
	separator = "_"
	pgNumMin  = "pg_num_min"
)

// Want is one pool as it shall be. One without a number of copies has as many as
// Ceph gives pools by itself.
type Want struct {
	// Name in Ceph.
	Name string
	Spec api.PoolSpec
	// Application that Ceph is told the pool is for.
	Application string
}

// Decide compares what is wanted with what Ceph has.
func Decide(want Want, seen Observed) Plan {
	d := &decision{name: want.Name, spec: want.Spec, seen: seen, application: want.Application}
	quota, err := readQuota(want.Spec.Quotas)
	if err != nil {
		return Plan{Invalid: err.Error()}
	}
	if seen.Pool == nil {
		d.create()
		if d.plan.Missing != "" {
			return Plan{Missing: d.plan.Missing}
		}
		seen = Observed{Pool: &ceph.Pool{}, Settings: map[string]string{}}
		d.seen = seen
		d.parameters(created)
	} else {
		if want := d.wantType(); seen.Pool.Type != want {
			return Plan{Invalid: fmt.Sprintf("Pool %q is %s in Ceph; choose another name, or make the spec fit", d.name, typeName(seen.Pool.Type))}
		}
		d.replicas()
		d.placement()
		d.erasure()
		d.parameters(existing)
	}
	d.tag()
	d.quota(quota)
	return d.plan
}

type decision struct {
	name        string
	spec        api.PoolSpec
	application string
	seen        Observed
	plan        Plan
}

// age tells a pool that this plan creates from one that was there.
type age int

const (
	existing age = iota
	created
)

func (d *decision) do(operation Operation) { d.plan.Operations = append(d.plan.Operations, operation) }

func (d *decision) drift(format string, args ...any) {
	d.plan.Drift = append(d.plan.Drift, fmt.Sprintf(format, args...))
}

func (d *decision) wantType() int {
	if d.spec.ErasureCoded.DataChunks > 0 {
		return ceph.PoolErasure
	}
	return ceph.PoolReplicated
}

func typeName(typ int) string {
	if typ == ceph.PoolErasure {
		return "erasure coded"
	}
	return "replicated"
}

// create makes the pool with at least as many PGs as it may have: where Ceph's
// autoscaler is on, a pool begins with one, and Ceph changes no minimum to more than
// there are.
func (d *decision) create() {
	least := number(d.spec.Parameters[pgNumMin])
	spec := ceph.PoolSpec{Name: d.name, PGNum: max(least, number(d.spec.Parameters["pg_num"])), PGNumMin: least}
	answer := ceph.Unconfirmed
	if strings.HasPrefix(d.name, ".") {
		answer = ceph.Really
	}
	if d.wantType() == ceph.PoolErasure {
		spec.ErasureCodeProfile = ProfileName(d.name)
		d.plan.Missing = d.missing(d.seen.Rules[d.name])
		if d.seen.Profile == nil {
			d.do(Operation{Kind: SetProfile, Name: spec.ErasureCodeProfile, Profile: d.profile()})
		}
		d.do(Operation{Kind: CreatePool, Pool: spec, Confirmed: answer})
		d.set("allow_ec_overwrites", "true")
		return
	}
	spec.Rule = d.rule(d.name)
	d.plan.Missing = d.missing(d.seen.Rules[spec.Rule])
	spec.Size = int(d.spec.Replicated.Size)
	if spec.Size == 1 {
		answer = ceph.Really
	}
	d.do(Operation{Kind: CreatePool, Pool: spec, Confirmed: answer})
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

func (d *decision) replicas() {
	want := int(d.spec.Replicated.Size)
	if d.wantType() != ceph.PoolReplicated || want == d.seen.Pool.Size || want == 0 {
		return // none wanted is as Ceph makes pools by itself
	}
	answer := ceph.Unconfirmed
	if want == 1 {
		answer = ceph.Really
	}
	d.do(Operation{Kind: SetParameter, Name: d.name, Key: "size", Value: strconv.Itoa(want), Confirmed: answer})
}

func (d *decision) set(key, value string) {
	d.do(Operation{Kind: SetParameter, Name: d.name, Key: key, Value: value})
}

// tag names the application, which is also what makes it a pool for RBD.
func (d *decision) tag() {
	if _, tagged := d.seen.Pool.ApplicationMetadata[d.application]; tagged {
		return
	}
	if len(d.seen.Pool.ApplicationMetadata) > 0 {
		others := make([]string, 0, len(d.seen.Pool.ApplicationMetadata))
		for name := range d.seen.Pool.ApplicationMetadata {
			others = append(others, name)
		}
		sort.Strings(others)
		d.drift("the pool is used by application '%s' in Ceph, not '%s'; choose another pool", strings.Join(others, "', '"), d.application)
		return
	}
	if d.application == rbdTag {
		d.do(Operation{Kind: Init, Name: d.name}) // which names the application, too
		return
	}
	d.do(Operation{Kind: EnableApplication, Name: d.name, Key: d.application})
}
