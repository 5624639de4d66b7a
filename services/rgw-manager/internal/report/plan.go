package report

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// Serving sums up the object stores of a cluster.
func Serving(list []api.CephObjectStore, generation int64) api.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) api.Condition {
		return condition.New(api.ConditionObjectStoresServing, status, reason, message, generation)
	}
	var waiting, upgrading []string
	for _, store := range list {
		if !store.DeletionTimestamp.IsZero() {
			continue
		}
		ready := ready(&store)
		switch {
		case ready == nil || ready.Status != metav1.ConditionTrue:
			waiting = append(waiting, describe(&store, ready))
		case ready.Reason == api.ReasonUpgrading:
			upgrading = append(upgrading, store.Name)
		}
	}
	switch {
	case len(list) == 0:
		return set(metav1.ConditionTrue, api.ReasonNotRequested, "")
	case len(waiting) > 0:
		return set(metav1.ConditionFalse, api.ReasonGatewaysStarting, problem.Sentence(waiting))
	case len(upgrading) > 0:
		return set(metav1.ConditionTrue, api.ReasonUpgrading, "Updating the gateways of "+problem.Names(upgrading))
	}
	return set(metav1.ConditionTrue, api.ReasonAsExpected, "")
}

func ready(store *api.CephObjectStore) *api.Condition {
	if store.Status == nil {
		return nil
	}
	return condition.Find(store.Status.Conditions, api.ConditionReady)
}

func describe(store *api.CephObjectStore, ready *api.Condition) string {
	if ready == nil {
		return fmt.Sprintf("CephObjectStore %s is not reported on yet", store.Name)
	}
	return fmt.Sprintf("CephObjectStore %s: %s", store.Name, ready.Message)
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
