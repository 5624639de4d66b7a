package report

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/selection"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// usageEvery is how often to ask how full OSDs are.
const usageEvery = 5 * time.Minute

// maps are the expensive answers of Ceph, kept until they are out of date.
type maps struct {
	epoch    uint64
	osdmap   ceph.OSDMap
	metadata []ceph.OSDMetadata
	booted   map[int]uint64
	classes  []string
	usage    []ceph.OSDUsage
	usageAt  time.Time
	usageOf  uint64
}

// observe reads Kubernetes; what Ceph adds comes with ask.
func (p *pass) observe(ctx context.Context) (step.Outcome, error) {
	seen, err := selection.Observe(ctx, p.Client)
	if err != nil {
		return step.None, err
	}
	var deployments appsv1.DeploymentList
	err = p.Client.List(ctx, &deployments, client.InNamespace(p.cluster.Namespace), client.MatchingLabels{names.LabelApp: pod.AppOSD})
	if err != nil {
		return step.None, fmt.Errorf("list Deployments: %w", err)
	}
	p.seen = Observed{
		Serving:  condition.IsTrue(p.cluster.Status.Conditions, api.ConditionOSDsServing),
		Problems: selection.Problems(p.cluster, seen),
	}
	for _, osd := range fleet.Of(p.cluster, seen.OSDs) {
		p.seen.Daemons = append(p.seen.Daemons, Daemon{
			OSD: osd, Disk: fleet.DiskOf(&osd, seen.Disks), Image: imageOf(deployments.Items, &osd),
		})
	}
	return step.Done, nil
}

// ask reads from Ceph what has changed since the last pass.
func (p *pass) ask(ctx context.Context) (step.Outcome, error) {
	conn, outcome, err := p.Sessions.Client(ctx, p.cluster)
	if err != nil {
		p.unanswered = err
		return step.None, err
	}
	if !outcome.IsDone() {
		return outcome, nil
	}
	key := client.ObjectKeyFromObject(p.cluster)
	known, pgs, err := p.poll(ctx, conn, p.memory.recall(key))
	if err != nil {
		p.unanswered = err
		return step.None, err
	}
	p.memory.keep(key, known)
	p.known, p.asked = known, true
	p.seen.PGMap, p.seen.NewPGs = pgs, newPGs(known.osdmap.Pools, p.Clock.Now())
	states, passing := inactive(pgs, p.seen.NewPGs)
	p.seen.Passing = p.memory.passing(key, passing && len(states) > 0, p.Clock.Now())
	p.fill()
	p.release(ctx, conn)
	return step.Done, nil
}

// poll asks for the state of the placement groups, and for the maps that are out
// of date.
func (p *pass) poll(ctx context.Context, conn ceph.Client, known maps) (maps, ceph.PGMap, error) {
	status, err := conn.Status(ctx)
	if err != nil {
		return known, ceph.PGMap{}, fmt.Errorf("read status: %w", err)
	}
	if known.epoch != status.OSDMap.Epoch || known.epoch == 0 {
		if known, err = refresh(ctx, conn, known); err != nil {
			return known, ceph.PGMap{}, err
		}
	}
	if status.MgrMap.Available {
		known = p.usage(ctx, conn, known)
	}
	return known, status.PGMap, nil
}

// usage asks how full the OSDs are, every usageEvery and when one has booted.
func (p *pass) usage(ctx context.Context, conn ceph.Client, known maps) maps {
	now := p.Clock.Now()
	if known.usageAt.IsZero() && p.usagePublished() {
		known.usageAt, known.usageOf = now, newest(known.booted)
	}
	if now.Sub(known.usageAt) < usageEvery && known.usageOf == newest(known.booted) {
		return known
	}
	return refreshUsage(ctx, conn, known, now)
}

// usagePublished tells whether a former leader has said of every OSD how full it
// is. Its successor need not ask before the next turn.
func (p *pass) usagePublished() bool {
	for i := range p.seen.Daemons {
		if osd := &p.seen.Daemons[i].OSD; fleet.Prepared(osd) && osd.Status.Used == "" {
			return false
		}
	}
	return true
}

// refresh reads the OSD map, and what OSDs told when they booted if one did.
func refresh(ctx context.Context, conn ceph.Client, known maps) (maps, error) {
	osdmap, err := conn.OSDDump(ctx)
	if err != nil {
		return known, fmt.Errorf("read OSD map: %w", err)
	}
	known.osdmap, known.epoch = osdmap, osdmap.Epoch
	booted := map[int]uint64{}
	for _, osd := range osdmap.OSDs {
		booted[osd.ID] = osd.UpFrom
	}
	if sameBoots(known.booted, booted) {
		return known, nil
	}
	metadata, err := conn.OSDMetadata(ctx)
	if err != nil {
		return known, fmt.Errorf("read OSD metadata: %w", err)
	}
	classes, err := conn.CrushClassList(ctx)
	if err != nil {
		return known, fmt.Errorf("read device classes: %w", err)
	}
	known.metadata, known.classes, known.booted = metadata, classes, booted
	return known, nil
}

// refreshUsage asks the mgr how full OSDs are. How full they are decides
// nothing: a mgr that does not say, because it is not there or has not heard of
// the OSDs yet, is asked again at the next poll.
func refreshUsage(ctx context.Context, conn ceph.Client, known maps, now time.Time) maps {
	df, err := conn.OSDDF(ctx)
	if err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("usage of OSDs is not known", "error", err.Error())
		return known
	}
	known.usage = df.Nodes
	if complete(df.Nodes) {
		known.usageAt, known.usageOf = now, newest(known.booted)
	}
	return known
}

// complete tells whether every OSD that is up has told the mgr how full it is,
// which takes it a few seconds.
func complete(usage []ceph.OSDUsage) bool {
	for _, osd := range usage {
		if osd.Status == "up" && osd.KB == 0 {
			return false
		}
	}
	return true
}

// fill puts what Ceph knows beside what Kubernetes knows.
func (p *pass) fill() {
	for i := range p.seen.Daemons {
		d := &p.seen.Daemons[i]
		if d.OSD.Spec.ID == nil {
			continue
		}
		id := int(*d.OSD.Spec.ID)
		d.State = find(p.known.osdmap.OSDs, func(o ceph.OSDState) bool { return o.ID == id && o.UUID == d.OSD.Spec.UUID })
		d.Metadata = find(p.known.metadata, func(m ceph.OSDMetadata) bool { return m.ID == id && m.Short != "" })
		d.Usage = find(p.known.usage, func(u ceph.OSDUsage) bool { return u.ID == id })
	}
}

func find[T any](list []T, wanted func(T) bool) *T {
	for i := range list {
		if wanted(list[i]) {
			return &list[i]
		}
	}
	return nil
}

func sameBoots(a, b map[int]uint64) bool {
	if len(a) != len(b) || a == nil {
		return false
	}
	for id, epoch := range b {
		if before, found := a[id]; !found || before != epoch {
			return false
		}
	}
	return true
}

// newest is the epoch of the last boot of any OSD.
func newest(booted map[int]uint64) uint64 {
	var last uint64
	for _, epoch := range booted {
		last = max(last, epoch)
	}
	return last
}
