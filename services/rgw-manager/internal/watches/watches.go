// Package watches says which changes of watched objects matter to the
// controllers of the service. It decides nothing else.
package watches

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
)

// Deleting passes the moment when deletion is asked for.
type Deleting struct{ predicate.Funcs }

// Update compares deletion times.
func (Deleting) Update(e event.UpdateEvent) bool {
	return e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
}

// Edited passes what people change about an object, and what the controller has to
// mend because somebody else wrote it.
func Edited(controller string) predicate.Predicate {
	return predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, Deleting{}, apply.OwnStatus(controller))
}

// Ending passes only that an object is gone.
type Ending struct{ predicate.Funcs }

// Create passes nothing.
func (Ending) Create(event.CreateEvent) bool { return false }

// Update passes nothing.
func (Ending) Update(event.UpdateEvent) bool { return false }

// Serving passes changes of a CephObjectStore that users and claims wait for or are
// told of.
type Serving struct{ predicate.Funcs }

// Update compares the spec and whether the store is ready.
func (Serving) Update(e event.UpdateEvent) bool {
	before, isBefore := e.ObjectOld.(*api.CephObjectStore)
	after, isAfter := e.ObjectNew.(*api.CephObjectStore)
	return !isBefore || !isAfter || before.Generation != after.Generation || Ready(before) != Ready(after)
}

// Ready tells whether a store is.
func Ready(store *api.CephObjectStore) bool {
	return store.Status != nil && condition.IsTrue(store.Status.Conditions, api.ConditionReady)
}

// Cluster passes changes of a CephCluster that object stores wait for or are made
// from.
type Cluster struct{ predicate.Funcs }

// Update compares the spec's generation, the awaited conditions and the images
// of the daemons that are updated before gateways.
func (Cluster) Update(e event.UpdateEvent) bool {
	before, isBefore := e.ObjectOld.(*api.CephCluster)
	after, isAfter := e.ObjectNew.(*api.CephCluster)
	if !isBefore || !isAfter || before.Generation != after.Generation {
		return true
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		if condition.Met(before, typ) != condition.Met(after, typ) {
			return true
		}
	}
	for _, role := range []string{api.RoleMon, api.RoleMgr, api.RoleOSD, api.RoleMDS} {
		if before.Status.Daemons[role] != after.Status.Daemons[role] {
			return true
		}
	}
	return (before.Status.Connection == nil) != (after.Status.Connection == nil)
}
