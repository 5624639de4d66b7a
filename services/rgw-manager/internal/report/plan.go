package report

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/serving"
)

// Serving sums up the object stores of a cluster.
func Serving(list []api.CephObjectStore, generation int64) api.Condition {
	objects := make([]serving.Object, len(list))
	for i := range list {
		objects[i] = serving.Object{Kind: "CephObjectStore", Name: list[i].Name, Going: !list[i].DeletionTimestamp.IsZero()}
		if list[i].Status != nil {
			objects[i].Conditions = list[i].Status.Conditions
		}
	}
	words := serving.Words{Condition: api.ConditionObjectStoresServing, Starting: api.ReasonGatewaysStarting, Daemons: "gateways"}
	return serving.Sum(words, objects, generation)
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
