// Package ready says whether an object store is, and when that changes.
package ready

import (
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
)

// Changes passes changes of a CephObjectStore that users and claims wait for or are
// told of.
type Changes struct{ predicate.Funcs }

// Update compares the spec and whether the store is ready.
func (Changes) Update(e event.UpdateEvent) bool {
	before, isBefore := e.ObjectOld.(*api.CephObjectStore)
	after, isAfter := e.ObjectNew.(*api.CephObjectStore)
	return !isBefore || !isAfter || before.Generation != after.Generation || Store(before) != Store(after)
}

// Store tells whether a store is ready.
func Store(store *api.CephObjectStore) bool {
	return store.Status != nil && condition.IsTrue(store.Status.Conditions, api.ConditionReady)
}
