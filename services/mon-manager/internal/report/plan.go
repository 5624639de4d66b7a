package report

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
)

// Input is what a summary is made of.
type Input struct {
	Cluster *api.CephCluster
	Verdict scope.Verdict
	// Older is the CephCluster that the namespace belongs to, for Surplus.
	Older string
	// Filesystems and ObjectStores are whether any are asked for.
	Filesystems, ObjectStores bool
	// Blockers name what keeps a deleted cluster from going.
	Blockers []string
}

// Summary is what is written.
type Summary struct {
	Phase       api.Phase
	State       api.ClusterState
	Message     string
	Conditions  []api.Condition
	Unsupported []string
	// Tell are the types of the conditions whose turn to True nobody else tells.
	Tell []string
}

// Summarize is pure: equal conditions give an equal summary.
func Summarize(in Input) Summary {
	verdict := judge(in)
	summary := Summary{Message: verdict.message, Unsupported: api.UnsupportedFields(&in.Cluster.Spec)}
	summary.Phase, summary.State = derive(in, verdict)
	summary.Conditions = conditions(in, verdict, summary)
	summary.Tell = []string{api.ConditionReady, api.ConditionUnsupportedFields, api.ConditionDeletionIsBlocked}
	if verdict.own {
		summary.Tell = append(summary.Tell, api.ConditionFailure)
	}
	return summary
}

// finding is the one answer from which all else is derived.
type finding struct {
	// ready and progress together are a cluster that serves while its daemons
	// are updated.
	ready, stalled, progress bool
	// own is whether nobody else tells of it.
	own     bool
	reason  string
	message string
}

func judge(in Input) finding {
	switch {
	case in.Cluster.DeletionTimestamp != nil:
		return deleting(in)
	case in.Verdict == scope.Surplus:
		return finding{stalled: true, own: true, reason: api.ReasonInvalidSpec, message: fmt.Sprintf(
			"Namespace %s belongs to CephCluster %s already; create this one in a namespace of its own", in.Cluster.Namespace, in.Older)}
	case in.Verdict == scope.External:
		return finding{stalled: true, own: true, reason: api.ReasonUnsupportedFields,
			message: "Connecting to an external cluster (`spec.external.enable`) is not supported yet"}
	case in.Verdict == scope.Paused:
		return finding{reason: api.ReasonPaused, message: "Paused by label ceph.rook.io/do-not-reconcile"}
	}
	return wanting(in)
}

func deleting(in Input) finding {
	if len(in.Blockers) > 0 {
		return finding{reason: api.ReasonClusterDeleting, message: "Deletion waits for " + strings.Join(in.Blockers, ", ")}
	}
	return finding{reason: api.ReasonClusterDeleting, message: "Deleting the CephCluster"}
}

// wanting looks for the first awaited condition that is not True.
func wanting(in Input) finding {
	upgrade := ""
	for _, typ := range awaited(in) {
		c := condition.Find(in.Cluster.Status.Conditions, typ)
		if c == nil {
			return finding{reason: api.ReasonPending, message: fmt.Sprintf("Waiting for %s: nothing is reported yet", typ)}
		}
		if c.Status == metav1.ConditionTrue && !needsPerson(c.Reason) {
			if upgrade == "" && (c.Reason == api.ReasonUpgrading || c.Reason == api.ReasonDetectingVersion) {
				upgrade = c.Message
			}
			continue
		}
		message := c.Message
		if message == "" {
			message = fmt.Sprintf("%s is %s (%s)", typ, c.Status, c.Reason)
		}
		return finding{reason: c.Reason, message: message, stalled: needsPerson(c.Reason)}
	}
	if upgrade != "" {
		return finding{ready: true, progress: true, reason: api.ReasonUpgrading, message: upgrade}
	}
	return finding{ready: true, reason: api.ReasonClusterCreated, message: "Cluster created successfully"}
}

// awaited are the conditions that Ready sums up for this spec, in the order in
// which services wait for one another.
func awaited(in Input) []string {
	cluster := in.Cluster
	list := []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive}
	if WantsStorage(&cluster.Spec.Storage) {
		list = append(list, api.ConditionOSDsServing)
	}
	if in.Filesystems || reported(cluster, api.ConditionFilesystemsServing) {
		list = append(list, api.ConditionFilesystemsServing)
	}
	if in.ObjectStores || reported(cluster, api.ConditionObjectStoresServing) {
		list = append(list, api.ConditionObjectStoresServing)
	}
	list = append(list, api.ConditionUsersReady, api.ConditionConfigApplied)
	if reported(cluster, api.ConditionProvisioningReady) {
		list = append(list, api.ConditionProvisioningReady)
	}
	return list
}

func reported(cluster *api.CephCluster, typ string) bool {
	return condition.Find(cluster.Status.Conditions, typ) != nil
}

// WantsStorage tells whether the spec asks for OSDs.
func WantsStorage(storage *api.StorageScopeSpec) bool {
	return storage.UseAllNodes || len(storage.Nodes) > 0 || len(storage.StorageClassDeviceSets) > 0
}

// needsPerson are the reasons that no waiting mends.
func needsPerson(reason string) bool {
	return slices.Contains([]string{
		api.ReasonIdentityLost, api.ReasonInvalidSpec, api.ReasonImageUnsupported, api.ReasonImageMissing,
		api.ReasonStaleMonitors,
	}, reason)
}

func derive(in Input, f finding) (api.Phase, api.ClusterState) {
	created := in.Cluster.Status.Connection != nil && in.Cluster.Status.Connection.MonHost != ""
	switch {
	case in.Cluster.DeletionTimestamp != nil:
		return api.PhaseDeleting, in.Cluster.Status.State
	case f.stalled:
		return api.PhaseFailure, api.ClusterStateError
	case f.progress:
		return api.PhaseProgressing, api.ClusterStateUpdating
	case f.ready:
		return api.PhaseReady, api.ClusterStateCreated
	case created && in.Cluster.Status.State != api.ClusterStateCreating:
		return api.PhaseProgressing, api.ClusterStateUpdating
	}
	return api.PhaseProgressing, api.ClusterStateCreating
}

func conditions(in Input, f finding, s Summary) []api.Condition {
	generation := in.Cluster.Generation
	set := func(typ string, on bool, reason, message string) api.Condition {
		status := metav1.ConditionFalse
		if on {
			status = metav1.ConditionTrue
		}
		return condition.New(typ, status, reason, message, generation)
	}
	going := in.Cluster.DeletionTimestamp != nil
	list := []api.Condition{
		set(api.ConditionReady, f.ready, f.reason, f.message),
		set(api.ConditionReconciling, !f.stalled && (!f.ready || f.progress), f.reason, f.message),
		set(api.ConditionStalled, f.stalled, f.reason, f.message),
		set(api.ConditionProgressing, !f.ready && !f.stalled && !going, legacy(f, api.ReasonClusterProgressing), f.message),
		set(api.ConditionFailure, f.stalled, f.reason, f.message),
	}
	if len(s.Unsupported) > 0 {
		list = append(list, set(api.ConditionUnsupportedFields, true, api.ReasonUnsupportedFields,
			api.UnsupportedMessage(s.Unsupported)))
	}
	if going {
		list = append(list, set(api.ConditionDeleting, true, api.ReasonClusterDeleting, f.message), blocked(in, set))
	}
	return list
}

func blocked(in Input, set func(string, bool, string, string) api.Condition) api.Condition {
	if len(in.Blockers) == 0 {
		return set(api.ConditionDeletionIsBlocked, false, api.ReasonNoDependents, "Nothing depends on the CephCluster")
	}
	names := slices.Clone(in.Blockers)
	sort.Strings(names)
	return set(api.ConditionDeletionIsBlocked, true, api.ReasonDependents, "Still there: "+strings.Join(names, ", "))
}

func legacy(f finding, otherwise string) string {
	if f.ready {
		return api.ReasonClusterCreated
	}
	return otherwise
}
