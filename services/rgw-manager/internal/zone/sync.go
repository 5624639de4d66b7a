package zone

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/syncstate"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// lookAfter is how often a zone that is behind is looked at, and settledAfter one
	// that is not, or that is alone.
	lookAfter    = 30 * time.Second
	settledAfter = time.Minute
)

// Sights looks how far zones have got with copying.
type Sights interface {
	// Look asks the gateways of a store about the zone that it serves. The outcome
	// says why they cannot be asked.
	Look(ctx context.Context, store *api.CephObjectStore, zoneID string) (syncstate.Sight, step.Outcome, error)
}

// glance is what was seen of a zone at some time.
type glance struct {
	at    time.Time
	sight *syncstate.Sight
}

// lookAtSync says how far the zone is behind, now and then. Whatever comes of it, the
// zone is as its spec says.
func (p *pass) lookAtSync(ctx context.Context) (step.Outcome, error) {
	store, served, err := p.server(ctx)
	switch {
	case err != nil:
		return step.None, err
	case !served:
		p.Sync = nil
		return step.Done, nil
	case store == nil || !p.due():
		return step.Done, nil
	}
	now, outcome, err := p.r.Sights.Look(ctx, store, p.zoneID())
	if err != nil || !outcome.IsDone() {
		ctrl.LoggerFrom(ctx).V(1).Info("sync not looked at", "store", store.Name, "reason", outcome.Reason, "error", fmt.Sprint(err))
		p.r.seen.Store(p.zone.UID, &glance{at: p.Clock.Now()})
		return step.Done, nil // the store says what is wrong with its gateways
	}
	p.Sync = syncstate.Judge(now, p.lastSeen().sight, p.Before.Sync, p.Clock.Now())
	p.r.seen.Store(p.zone.UID, &glance{at: p.Clock.Now(), sight: &now})
	p.tellSync()
	return step.Done, nil
}

func (p *pass) zoneID() string {
	if p.Setup != nil {
		return p.Setup.ZoneID
	}
	return ""
}

func (p *pass) lastSeen() *glance {
	found, _ := p.r.seen.Load(p.zone.UID)
	if last, is := found.(*glance); is {
		return last
	}
	return &glance{}
}

// due tells whether it is time to look again.
func (p *pass) due() bool {
	last, after := p.lastSeen(), lookAfter
	switch {
	case last.at.IsZero():
		return true
	case last.sight == nil:
	case len(last.sight.Copies) == 0, p.Before.Sync != nil && p.Before.Sync.State == api.ObjectSyncCaughtUp:
		after = settledAfter
	}
	return p.Clock.Since(last.at) >= after
}

// server is a store that serves the zone and copies, if one is ready, and whether there
// is any store of the zone.
func (p *pass) server(ctx context.Context) (ready *api.CephObjectStore, served bool, err error) {
	var list api.CephObjectStoreList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.zone.Namespace)); err != nil {
		return nil, false, fmt.Errorf("list CephObjectStores: %w", err)
	}
	slices.SortFunc(list.Items, func(a, b api.CephObjectStore) int { return strings.Compare(a.Name, b.Name) })
	for i := range list.Items {
		one := &list.Items[i]
		if one.Spec.ZoneName() != p.zone.Name || !one.DeletionTimestamp.IsZero() || one.Spec.Gateway.DisableMultisiteSyncTraffic {
			continue
		}
		served = true
		if ready == nil && one.Status != nil && condition.IsTrue(one.Status.Conditions, api.ConditionReady) {
			ready = one
		}
	}
	return ready, served, nil
}

// tellSync tells people once that copying has failed.
func (p *pass) tellSync() {
	if p.Sync == nil || p.Sync.State != api.ObjectSyncFailed || p.Before.Sync != nil && p.Before.Sync.State == api.ObjectSyncFailed {
		return
	}
	for _, source := range p.Sync.Sources {
		if source.State == api.ObjectSyncFailed {
			p.Events.Eventf(p.zone, nil, corev1.EventTypeWarning, api.ReasonSyncFailed, "Look", "Cannot tell how far the %s of zone %s is copied: %s",
				source.Kind, source.Zone, source.Message)
			return
		}
	}
}
