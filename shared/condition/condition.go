// Package condition turns the report of a pass into conditions, merges them
// with what is there without touching times that did not change, and words the
// wait for another service. It does no I/O.
package condition

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// The reasons that From uses where the report has none of its own.
const (
	ReasonAsExpected = "AsExpected"
	ReasonError      = "Error"
)

// maxMessage bounds the text of an unexpected error in a condition.
const maxMessage = 512

// From words a report as a condition: True when the pass is done, False with
// the reason of the step that ended it, or with the trimmed error.
func From(typ string, report step.Report, generation int64) api.Condition {
	c := api.Condition{Type: typ, Status: metav1.ConditionFalse, ObservedGeneration: generation,
		Reason: report.Reason, Message: report.Message}
	switch {
	case report.Err != nil:
		c.Reason, c.Message = ReasonError, trim(report.Err.Error())
	case report.IsDone():
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, ReasonAsExpected, ""
	}
	return c
}

// New returns a condition with the given status.
func New(typ string, status metav1.ConditionStatus, reason, message string, generation int64) api.Condition {
	return api.Condition{Type: typ, Status: status, Reason: reason, Message: message, ObservedGeneration: generation}
}

// DeletionIsBlocked says what keeps an object that is to go. A person who expects
// Rook's annotation to remove what is inside is told that it does not.
func DeletionIsBlocked(obj metav1.Object, blockers []string, report step.Report) api.Condition {
	if len(blockers) == 0 {
		return New(api.ConditionDeletionIsBlocked, metav1.ConditionFalse, api.ReasonNoDependents, "", obj.GetGeneration())
	}
	message := report.Message
	if strings.EqualFold(obj.GetAnnotations()[names.AnnotationForceDeletion], "true") {
		message += "; annotation " + names.AnnotationForceDeletion + " is not honoured"
	}
	return New(api.ConditionDeletionIsBlocked, metav1.ConditionTrue, report.Reason, message, obj.GetGeneration())
}

// Merge returns the desired conditions with the transition times that existing
// has for them; now is the time for those whose status changed. It returns the
// desired ones only: a field manager sends what it owns.
func Merge(existing []api.Condition, now time.Time, desired ...api.Condition) []api.Condition {
	merged := make([]api.Condition, len(desired))
	for i, c := range desired {
		old := Find(existing, c.Type)
		if old != nil && old.Status == c.Status && old.LastTransitionTime != nil {
			c.LastTransitionTime = old.LastTransitionTime
		} else {
			at := metav1.NewTime(now.UTC().Truncate(time.Second))
			c.LastTransitionTime = &at
		}
		merged[i] = c
	}
	return merged
}

// Find returns the condition of the type, or nil.
func Find(conditions []api.Condition, typ string) *api.Condition {
	at := slices.IndexFunc(conditions, func(c api.Condition) bool { return c.Type == typ })
	if at < 0 {
		return nil
	}
	return &conditions[at]
}

// IsTrue tells whether the condition of the type is True.
func IsTrue(conditions []api.Condition, typ string) bool {
	c := Find(conditions, typ)
	return c != nil && c.Status == metav1.ConditionTrue
}

// Changed tells whether status, reason or message of the condition differ from
// existing: the moment to publish an event.
func Changed(existing []api.Condition, c api.Condition) bool {
	old := Find(existing, c.Type)
	return old == nil || old.Status != c.Status || old.Reason != c.Reason || old.Message != c.Message
}

// Await returns Done when the condition of the cluster is True, else a wait
// that names its writer, so that people know whom to look at. For MonitorsInQuorum
// a working quorum is enough: nobody waits because a monitor that the spec asks for
// is not there yet, or not any more.
func Await(cluster *api.CephCluster, typ string) step.Outcome {
	c := Find(cluster.Status.Conditions, typ)
	if c != nil && (c.Status == metav1.ConditionTrue || typ == api.ConditionMonitorsInQuorum && quorumWorks(cluster, c)) {
		return step.Done
	}
	service, _ := names.Controller(api.Writer(typ))
	if c == nil {
		return step.Wait(typ+"NotReported", fmt.Sprintf("Waiting for %s: %s is not reported yet", service, typ))
	}
	return step.Wait("WaitingFor"+typ, fmt.Sprintf("Waiting for %s: %s is %s (%s)", service, typ, c.Status, c.Reason))
}

// Met tells whether nothing needs to wait for a condition of the cluster, as Await
// sees it.
func Met(cluster *api.CephCluster, typ string) bool { return Await(cluster, typ).IsDone() }

// quorumWorks tells whether monitors answer although not all of them are there.
func quorumWorks(cluster *api.CephCluster, c *api.Condition) bool {
	if cluster.Status.Connection == nil {
		return false // it has never had a quorum
	}
	switch c.Reason {
	case api.ReasonMonitorsUnschedulable, api.ReasonMonitorsOutOfQuorum, api.ReasonMonitorsStarting, api.ReasonStaleMonitors:
		return true
	}
	return false
}

func trim(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	cut := maxMessage
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}
