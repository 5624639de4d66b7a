package report

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/serving"
)

// Serving sums up the object stores of a cluster.
func Serving(list []api.CephObjectStore, generation int64) api.Condition {
	objects := make([]serving.Object, len(list))
	for i := range list {
		objects[i] = serving.Object{Kind: "CephObjectStore", Name: list[i].Name, Going: !list[i].DeletionTimestamp.IsZero()}
		if status := list[i].Status; status != nil {
			objects[i].Conditions = status.Conditions
			objects[i].Refused = status.Setup == nil && !list[i].Spec.Gateway.External() && refused(status.Conditions)
		}
	}
	words := serving.Words{Condition: api.ConditionObjectStoresServing, Starting: api.ReasonGatewaysStarting, Daemons: "gateways"}
	return serving.Sum(words, objects, generation)
}

// refused tells whether a store waits for a person: to correct it, or to make what it
// refers to.
func refused(conditions []api.Condition) bool {
	ready := condition.Find(conditions, api.ConditionReady)
	return condition.IsTrue(conditions, api.ConditionStalled) ||
		ready != nil && slices.Contains([]string{api.ReasonParentMissing, api.ReasonSecretMissing}, ready.Reason)
}

// CommonImage is the image that all gateways run; "" while they differ or one does
// not run.
func CommonImage(list []appsv1.Deployment) string {
	common := ""
	for i := range list {
		d := &list[i]
		image, wanted := gateway.Image(d), ptr.Deref(d.Spec.Replicas, 1)
		if wanted == 0 {
			continue // nobody runs it
		}
		runs := d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas == wanted &&
			d.Status.AvailableReplicas > 0 && d.Status.Replicas == wanted
		if !runs || common != "" && common != image {
			return ""
		}
		common = image
	}
	return common
}

// CommonVersion is the one version that all gateways run, as the monitors tell it;
// "" while there are several, or none.
func CommonVersion(versions ceph.Versions) string {
	common := ""
	for text := range versions[api.RoleRGW] {
		version := ceph.Release(text)
		if common != "" && common != version {
			return ""
		}
		common = version
	}
	return common
}
