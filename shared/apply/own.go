package apply

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// OwnStatus passes an update that changes what manager owns of the status,
// whoever made it. A controller that writes its status with Status has to be
// woken by it: a pass that follows its own write at once may still see the
// status from before, find it right and not send its own. The update then
// brings it back, and a pass that finds all in order sends nothing.
func OwnStatus(manager string) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetResourceVersion() != e.ObjectNew.GetResourceVersion() &&
			!reflect.DeepEqual(ownStatus(e.ObjectOld, manager), ownStatus(e.ObjectNew, manager))
	}}
}

// ownStatus returns the part of the object that manager applied to its status.
func ownStatus(obj client.Object, manager string) any {
	for _, entry := range obj.GetManagedFields() {
		if entry.Manager != manager || entry.Subresource != "status" || entry.Operation != metav1.ManagedFieldsOperationApply {
			continue
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			return err // our own types convert
		}
		live := &unstructured.Unstructured{Object: content}
		live.SetAPIVersion(entry.APIVersion) // a typed object may leave it out
		fields, _ := managedFields(live, manager, "status")
		return extract(fields, live.Object)
	}
	return nil
}
