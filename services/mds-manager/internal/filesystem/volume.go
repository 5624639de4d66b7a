package filesystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/pools"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// application is what Ceph is told that the pools are for.
const application = "cephfs"

const (
	// refusedRetry is how often Ceph is asked again for what it refused.
	refusedRetry = 30 * time.Second
	// standbyPoll is how often a standby is looked for that is missing.
	standbyPoll = 5 * time.Second
)

// wanted are the pools of the file system, the metadata pool first.
func wanted(fs *api.CephFilesystem) []pools.Want {
	var list []pools.Want
	if fs.Spec.MetadataPool != nil && len(fs.Spec.DataPools) > 0 {
		list = append(list, pools.Want{Name: fs.MetadataPoolName(), Spec: fs.Spec.MetadataPool.PoolSpec})
	}
	for i, name := range fs.DataPoolNames() {
		list = append(list, pools.Want{Name: name, Spec: fs.Spec.DataPools[i].PoolSpec})
	}
	for i := range list {
		list[i].Application = application
	}
	return list
}

// applyPools makes the pools what the spec says. Pools that were changed are
// looked at once more.
func (p *pass) applyPools(ctx context.Context) (step.Outcome, error) {
	list := wanted(p.fs)
	for _, want := range list {
		if outcome := p.refuseForeign(want.Name); !outcome.IsDone() {
			return outcome, nil
		}
	}
	result, outcome, err := pools.Ensure(ctx, p.client, p.pools, list)
	p.drift = append(p.drift, result.Drift...)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	return p.tried.After(p.fs.UID, result.Changes), nil
}

// refuseForeign stops before a pool is touched that belongs to something else;
// Ceph itself would take it.
func (p *pass) refuseForeign(name string) step.Outcome {
	pool := p.pools.Pools[name]
	if pool == nil || len(pool.ApplicationMetadata) == 0 || ours(pool, p.fs.Name) || p.has(pool.ID) {
		return step.Done
	}
	return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf(
		"Pool '%s' belongs to %s in Ceph; name another pool", name, strings.Join(owners(pool), ", ")))
}

// has tells whether a pool is one of the file system's already.
func (p *pass) has(pool int) bool {
	found := p.found()
	return found != nil && (found.Map.MetadataPool == pool || slices.Contains(found.Map.DataPools, pool))
}

// owners names what Ceph says that a pool is for.
func owners(pool *ceph.Pool) []string {
	var list []string
	for app, tags := range pool.ApplicationMetadata {
		name := "application " + app
		for _, key := range []string{"metadata", "data"} {
			if fs := tags[key]; app == application && fs != "" {
				name = "file system " + fs
			}
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// create makes the file system if there is none. Ceph refuses pools that hold
// objects or belong to somebody else, and is never forced.
func (p *pass) create(ctx context.Context) (step.Outcome, error) {
	if p.found() != nil {
		return step.Done, nil
	}
	if len(p.fs.Spec.DataPools) == 0 {
		return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf(
			"There is no file system '%s' in Ceph; set `metadataPool` and `dataPools` to make one", p.fs.Name)), nil
	}
	if outcome := condition.Await(p.cluster, api.ConditionOSDsServing); !outcome.IsDone() {
		return outcome, nil
	}
	if len(p.maps.Filesystems) > 0 && !p.maps.Features.EnableMultiple {
		if err := p.client.FSEnableMultiple(ctx); err != nil {
			return step.None, fmt.Errorf("allow several file systems: %w", err)
		}
	}
	err := p.client.FSNew(ctx, p.fs.Name, p.fs.MetadataPoolName(), p.fs.DataPoolNames()[0])
	if refused, known := refusal(err); known {
		return step.Retry(refusedRetry, "FilesystemRefused", "Ceph refuses to make the file system: "+refused.Status+
			"; name other pools, or remove what is in these by hand if nobody needs it"), nil
	}
	if err != nil {
		return step.None, fmt.Errorf("make file system %s: %w", p.fs.Name, err)
	}
	p.Events.Eventf(p.fs, nil, corev1.EventTypeNormal, "FilesystemCreated", "CreateFilesystem", "Made file system %s", p.fs.Name)
	return step.Retry(pools.Again, "Configuring", "Configuring the file system"), nil
}

// refusal is Ceph's no to what was asked, not a failure to ask.
func refusal(err error) (*ceph.Error, bool) {
	var refused *ceph.Error
	if !errors.As(err, &refused) {
		return nil, false
	}
	return refused, errors.Is(err, ceph.ErrInvalid) || errors.Is(err, ceph.ErrExists) || errors.Is(err, ceph.ErrDenied)
}

// addDataPools adds what the spec names and the file system lacks. What it has
// and the spec does not name stays, and is reported.
func (p *pass) addDataPools(ctx context.Context) (step.Outcome, error) {
	m, names := p.found().Map, p.fs.DataPoolNames()
	if len(names) == 0 {
		return step.Done, nil
	}
	has := poolNames(m.DataPools, p.pools)
	added := false
	for _, name := range names {
		if slices.Contains(has, name) {
			continue
		}
		err := p.client.FSAddDataPool(ctx, p.fs.Name, name)
		if refused, known := refusal(err); known {
			return step.Retry(refusedRetry, "DataPoolRefused", fmt.Sprintf("Ceph refuses data pool '%s': %s", name, refused.Status)), nil
		}
		if err != nil {
			return step.None, fmt.Errorf("add data pool %s: %w", name, err)
		}
		added = true
	}
	if added {
		return step.Retry(pools.Again, "Configuring", "Adding data pools"), nil
	}
	p.drift = append(p.drift, layoutDrift(p.fs, m, p.pools)...)
	return step.Done, nil
}

// layoutDrift words what of the file system's pools differs from the spec and
// stays so.
func layoutDrift(fs *api.CephFilesystem, m ceph.MDSMap, known pools.Map) []string {
	var drift []string
	names, has := fs.DataPoolNames(), poolNames(m.DataPools, known)
	if is := known.PoolNames[m.MetadataPool]; is != fs.MetadataPoolName() {
		drift = append(drift, fmt.Sprintf("The metadata pool is '%s' in Ceph, not '%s', and cannot be changed", is, fs.MetadataPoolName()))
	}
	if has[0] != names[0] {
		drift = append(drift, fmt.Sprintf("The first data pool is '%s' in Ceph, not '%s', and cannot be changed; put it first in `dataPools`", has[0], names[0]))
	}
	for _, name := range has {
		if !slices.Contains(names, name) && name != has[0] {
			drift = append(drift, fmt.Sprintf(
				"Data pool '%s' is no longer in `dataPools` and was kept with its files; put it back, or move the files and remove it by hand", name))
		}
	}
	return drift
}

func poolNames(ids []int, known pools.Map) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = known.PoolNames[id]
	}
	return list
}

// applySettings says whether standbys follow, and whether Ceph shall warn when
// there is none. During an upgrade nobody follows: a standby of one release must
// not replay the journal of another.
func (p *pass) applySettings(ctx context.Context) (step.Outcome, error) {
	m, server := p.found().Map, p.fs.Spec.MetadataServer
	set := func(name, value string) error {
		if err := p.client.FSSet(ctx, p.fs.Name, name, value, ceph.Unconfirmed); err != nil {
			return fmt.Errorf("set %s of %s: %w", name, p.fs.Name, err)
		}
		return nil
	}
	if want := server.ActiveStandby && !p.plan.Upgrading; m.Flags.AllowStandbyReplay != want {
		if err := set("allow_standby_replay", strconv.FormatBool(want)); err != nil {
			return step.None, err
		}
	}
	switch {
	case !server.ActiveStandby && m.StandbyCountWanted != 0:
		return step.Done, set("standby_count_wanted", "0")
	case server.ActiveStandby && m.StandbyCountWanted == 0:
		return step.Done, set("standby_count_wanted", "1")
	}
	return step.Done, nil
}

// awaitService waits until rank 0 is served: before that nothing can be asked
// of the file system.
func (p *pass) awaitService(context.Context) (step.Outcome, error) {
	m := p.found().Map
	switch {
	case m.TakenDown():
		return takenDown(refusedRetry, p.fs.Name), nil
	case !m.Flags.Joinable:
		return step.Retry(refusedRetry, "NotJoinable", fmt.Sprintf(
			"Somebody took the file system down; `ceph fs set %s joinable true` lets metadata servers join again", p.fs.Name)), nil
	case len(m.Damaged) > 0:
		return step.Retry(refusedRetry, "MetadataDamaged", fmt.Sprintf("Ceph calls rank %d damaged; see `ceph health detail`", m.Damaged[0])), nil
	case m.Active() == 0:
		return p.starting(m), nil
	}
	return step.Done, nil
}

// takenDown is when an administrator wants no rank to be served. That is theirs
// to undo.
func takenDown(after time.Duration, name string) step.Outcome {
	return step.Retry(after, "TakenDown", fmt.Sprintf(
		"Somebody took file system '%s' down; `ceph fs set %s down false` has it served again and shows what is inside", name, name))
}

// awaitRanks waits for all ranks, and remembers how a settled file system looks.
func (p *pass) awaitRanks(context.Context) (step.Outcome, error) {
	m := p.found().Map
	switch {
	case m.Active() < int(p.fs.Spec.MetadataServer.ActiveCount) || len(m.Failed) > 0:
		return p.starting(m), nil
	case len(p.plan.Returning) > 0:
		return step.Retry(standbyPoll, api.ReasonStandbysStarting, "Waiting for metadata servers "+problem.Names(p.plan.Returning)), nil
	}
	if p.mark.fsEpoch == p.maps.Epoch && p.besides == nil {
		p.known.Store(p.fs.UID, &view{mark: p.mark, since: p.Clock.Now(), drift: p.drift, maps: p.maps, grouped: p.hasGroup()})
	}
	return step.Done, nil
}

func (p *pass) starting(m ceph.MDSMap) step.Outcome {
	return step.Retry(poll, api.ReasonFilesystemsStarting,
		fmt.Sprintf("%d of %d ranks are served", m.Active(), p.fs.Spec.MetadataServer.ActiveCount))
}
