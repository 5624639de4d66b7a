package filesystem

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// status publishes what is true of the file system, and tells people once when
// that needs them.
func (p *pass) status(ctx context.Context, report step.Report) error {
	if !p.fs.DeletionTimestamp.IsZero() && report.IsDone() {
		return nil // nobody is left to read it
	}
	desired := p.conditions(report)
	piece := api.CephFilesystemStatus{
		FilesystemID: p.before.FilesystemID, Info: p.before.Info, Replicas: p.before.Replicas,
		Ranks: p.before.Ranks, Standbys: p.before.Standbys,
		Selector:           labels.SelectorFromSet(daemons.Selector(p.fs)).String(),
		ObservedGeneration: p.fs.Generation,
		UnsupportedFields:  api.UnsupportedFilesystemFields(&p.fs.Spec),
		Conditions:         condition.Merge(p.before.Conditions, p.Clock.Now(), desired...),
	}
	p.describe(&piece)
	piece.Phase, piece.Message = phase(p.fs, report, desired[0].Status == metav1.ConditionTrue), desired[0].Message
	if err := p.Apply.Status(ctx, p.fs, piece); err != nil {
		return err
	}
	for _, c := range desired {
		if condition.Changed(p.before.Conditions, c) {
			p.tell(c)
		}
	}
	return nil
}

// describe fills in what was seen of the file system, if Ceph was asked.
func (p *pass) describe(piece *api.CephFilesystemStatus) {
	found := p.found()
	if found == nil {
		if p.maps.Epoch > 0 && p.fs.DeletionTimestamp.IsZero() {
			// It is gone although nobody deleted its object. What is left of it is not
			// this object's any more, and not to be deleted along with it.
			piece.FilesystemID, piece.Replicas, piece.Ranks, piece.Standbys = nil, 0, nil, 0
		}
		return
	}
	id := int64(found.ID)
	piece.FilesystemID = &id
	piece.Info = map[string]string{"metadataPool": p.fs.MetadataPoolName(), "dataPools": strings.Join(p.fs.DataPoolNames(), ",")}
	if p.hasGroup() {
		piece.Info[infoGroup] = api.DefaultSubVolumeGroup
	}
	piece.Replicas, piece.Ranks, piece.Standbys = int32(found.Map.Active()), nil, 0
	holders := map[int32]bool{}
	for _, daemon := range found.Map.Daemons() {
		if daemon.State == ceph.MDSStandbyReplay {
			piece.Standbys++
			continue
		}
		holders[int32(daemon.Rank)] = true
		piece.Ranks = append(piece.Ranks, api.FilesystemRank{Rank: int32(daemon.Rank), Daemon: daemon.Name, State: daemon.State})
	}
	for _, rank := range found.Map.Failed {
		if !holders[int32(rank)] {
			piece.Ranks = append(piece.Ranks, api.FilesystemRank{Rank: int32(rank), State: "failed"})
		}
	}
	piece.Standbys += int32(len(p.ownStandbys()))
}

// conditions are all that this controller owns; which they are depends only on
// whether the file system is being deleted. Ready is the first.
func (p *pass) conditions(report step.Report) []api.Condition {
	generation := p.fs.Generation
	set := func(typ string, on bool, reason, message string) api.Condition {
		if !on {
			return condition.New(typ, metav1.ConditionFalse, api.ReasonAsExpected, "", generation)
		}
		return condition.New(typ, metav1.ConditionTrue, reason, message, generation)
	}
	ready := condition.From(api.ConditionReady, report, generation)
	reconciling, stalled := set(api.ConditionReconciling, false, "", ""), set(api.ConditionStalled, false, "", "")
	if p.available(report) {
		ready.Status = metav1.ConditionTrue
	}
	drift := strings.Join(p.drift, "; ")
	switch {
	case report.IsStalled():
		stalled = set(api.ConditionStalled, true, report.Reason, report.Message)
	case !report.IsDone():
		reconciling = set(api.ConditionReconciling, true, ready.Reason, ready.Message)
		if p.besides != nil && p.besides.IsStalled() {
			stalled = set(api.ConditionStalled, true, p.besides.Reason, p.besides.Message)
		}
	case drift != "":
		ready.Reason, ready.Message = api.ReasonDrift, drift
		stalled = set(api.ConditionStalled, true, api.ReasonDrift, drift)
	}
	fields := api.UnsupportedFilesystemFields(&p.fs.Spec)
	list := []api.Condition{
		ready, reconciling, stalled,
		set(api.ConditionUnsupportedFields, len(fields) > 0, api.ReasonUnsupportedFields, api.UnsupportedMessage(fields)),
	}
	if p.fs.DeletionTimestamp.IsZero() {
		return list
	}
	return append(list, condition.DeletionIsBlocked(p.fs, p.blockers, report))
}

// available tells whether clients have what they need: all ranks are served, or
// as many as are wanted for now, whatever else the pass waits for.
func (p *pass) available(report step.Report) bool {
	if report.IsDone() || unnoticed(report) {
		return report.IsDone() || p.serves()
	}
	if !p.fs.DeletionTimestamp.IsZero() || !p.serves() || !p.hasGroup() {
		return false
	}
	// One that was ready stays so while ranks are added.
	return condition.IsTrue(p.before.Conditions, api.ConditionReady) ||
		p.found().Map.Active() >= int(p.fs.Spec.MetadataServer.ActiveCount)
}

// unnoticed tells whether a pass ended at what clients do not notice.
func unnoticed(report step.Report) bool {
	return report.Err == nil && slices.Contains([]string{
		api.ReasonUpgrading, api.ReasonScaling, api.ReasonDisrupted, api.ReasonStandbysStarting,
	}, report.Reason)
}

// serves tells whether no rank is without a holder.
func (p *pass) serves() bool {
	found := p.found()
	return found != nil && found.Map.Active() > 0 && len(found.Map.Failed) == 0 && len(found.Map.Damaged) == 0
}

func phase(fs *api.CephFilesystem, report step.Report, ready bool) api.Phase {
	switch {
	case !fs.DeletionTimestamp.IsZero():
		return api.PhaseDeleting
	case report.IsDone() || ready && (report.IsStalled() || report.Err != nil):
		return api.PhaseReady
	case report.IsStalled() || report.Err != nil:
		return api.PhaseFailure
	}
	return api.PhaseProgressing
}

// tell publishes what a person has to act upon.
func (p *pass) tell(c api.Condition) {
	if c.Status != metav1.ConditionTrue {
		return
	}
	switch c.Type {
	case api.ConditionStalled, api.ConditionDeletionIsBlocked, api.ConditionUnsupportedFields:
		p.Events.Eventf(p.fs, nil, corev1.EventTypeWarning, c.Reason, "Reconcile", "%s", c.Message)
	}
}
