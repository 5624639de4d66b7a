// Package watches says which changes of watched objects matter to controllers. It
// decides nothing else.
package watches

import (
	"slices"

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

// Cluster passes changes of a CephCluster that daemons of a role wait for or are made
// from: its spec, the conditions of the cluster under them, and what those daemons
// run that are updated before them.
func Cluster(role string) predicate.Predicate {
	order := []string{api.RoleMon, api.RoleMgr, api.RoleOSD, api.RoleMDS, api.RoleRGW}
	before := order[:slices.Index(order, role)]
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, isBefore := e.ObjectOld.(*api.CephCluster)
		is, isAfter := e.ObjectNew.(*api.CephCluster)
		return !isBefore || !isAfter || was.Generation != is.Generation || moved(was, is, before)
	}}
}

// moved tells whether what daemons stand on has changed.
func moved(was, is *api.CephCluster, before []string) bool {
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive, api.ConditionOSDsServing} {
		if condition.Met(was, typ) != condition.Met(is, typ) {
			return true
		}
	}
	for _, role := range before {
		if was.Status.Daemons[role] != is.Status.Daemons[role] {
			return true
		}
	}
	return (was.Status.Connection == nil) != (is.Status.Connection == nil)
}
