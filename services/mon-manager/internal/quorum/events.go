package quorum

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// happening is one event to publish.
type happening struct {
	typ, reason, action, note string
}

func (p *pass) event(h happening) {
	p.Events.Eventf(p.cluster, nil, h.typ, h.reason, h.action, "%s", h.note)
}

// announce publishes an event when the condition changes its status or reason.
func (p *pass) announce(found api.Condition) {
	old := condition.Find(p.cluster.Status.Conditions, found.Type)
	if old != nil && old.Status == found.Status && old.Reason == found.Reason {
		return
	}
	h := happening{corev1.EventTypeNormal, found.Reason, "Reconcile", found.Message}
	if p.warn {
		h.typ = corev1.EventTypeWarning
	}
	switch found.Reason {
	case api.ReasonIdentityLost, api.ReasonImageMissing, api.ReasonImageUnsupported, api.ReasonMonitorsUnschedulable,
		api.ReasonMonitorsOutOfQuorum, api.ReasonQuorumLost, api.ReasonStaleMonitors, api.ReasonError:
		h.typ = corev1.EventTypeWarning
	}
	if found.Status == metav1.ConditionTrue && found.Reason == api.ReasonAsExpected {
		h.reason = found.Type
	}
	p.event(h)
}

func left(cluster *api.CephCluster) happening {
	return happening{
		corev1.EventTypeNormal, "IdentityKept", "Delete",
		fmt.Sprintf("Kept Secret %s and ConfigMap %s: they are the identity of the data of CephCluster %s, whose destruction was not confirmed in "+
			"spec.cleanupPolicy. A CephCluster that is made in this namespace takes them over; delete both to give the data up",
			names.MonSecret, names.MonEndpoints, cluster.Name),
	}
}

func removed(cluster *api.CephCluster, name string, change *api.MonitorChange) happening {
	why := ""
	if change != nil && change.Reason != "" {
		why = " (" + change.Reason + ")"
	}
	return happening{
		corev1.EventTypeNormal, "MonitorRemoved", "RemoveMonitor",
		fmt.Sprintf("Removed monitor %s of CephCluster %s from the monitor map%s", name, cluster.Name, why),
	}
}
