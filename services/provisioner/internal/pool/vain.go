package pool

import (
	"fmt"
	"maps"

	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// carried is what was carried out for one generation of a pool that is not settled
// yet. It is never changed, only replaced.
type carried struct {
	generation int64
	operations map[string]struct{}
}

// inVain remembers the operations of this pass and tells whether every one of them
// had been carried out before: Ceph takes them and does not show it.
func (p *pass) inVain() bool {
	before := carried{}
	if known, ok := p.done.Load(p.pool.UID); ok {
		before, _ = known.(carried)
	}
	now := carried{generation: p.pool.Generation, operations: map[string]struct{}{}}
	if before.generation == now.generation {
		maps.Copy(now.operations, before.operations)
	}
	known := len(now.operations)
	for _, operation := range p.plan.Operations {
		now.operations[fmt.Sprint(operation)] = struct{}{}
	}
	p.done.Store(p.pool.UID, now)
	return len(now.operations) == known
}

// complaint says what Ceph made of the operations.
func (p *pass) complaint() string {
	var list []string
	for _, operation := range p.plan.Operations {
		if operation.Kind != pools.SetParameter {
			list = append(list, fmt.Sprintf("'%s' has no effect", pools.Words([]pools.Operation{operation})))
			continue
		}
		is := p.seen.Settings[operation.Key]
		if is == "" {
			is = "nothing"
		}
		list = append(list, fmt.Sprintf("Ceph reports %s for `%s`, not %s", is, operation.Key, operation.Value))
	}
	return problem.Sentence(list) + "; write what Ceph reports, or find out who else changes the pool"
}
