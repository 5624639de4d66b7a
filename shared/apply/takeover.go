package apply

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// predecessor is the field manager of Rook's operator, the name of its program.
const predecessor = "rook"

// inherited are the kinds whose fields of Rook's would go on doing something: they run
// pods, lead to them or protect them. A Secret or a ConfigMap keeps the keys that Rook
// wrote, and any other object its finalizers: they may be somebody's only copy, or guard.
var inherited = map[schema.GroupKind]bool{
	deployments: true,
	{Group: corev1.GroupName, Kind: "Service"}:               true,
	{Group: policyv1.GroupName, Kind: "PodDisruptionBudget"}: true,
}

// inherits tells whether Rook's operator wrote fields of live that nobody took over.
// What it wrote to a status belongs to another subresource and does not count.
func inherits(live *unstructured.Unstructured) bool {
	if !inherited[live.GroupVersionKind().GroupKind()] {
		return false
	}
	entries, _ := nested(live, "metadata")["managedFields"].([]any)
	return slices.ContainsFunc(entries, func(item any) bool {
		entry, _ := item.(map[string]any)
		return entry["manager"] == predecessor && entry["operation"] == string(metav1.ManagedFieldsOperationUpdate) &&
			entry["subresource"] == nil
	})
}

// takeOver makes what Rook's operator wrote to live this manager's own, so that the
// apply that follows removes what is not wanted any more. Nobody else's fields are
// touched. Of an object that changed since it was read nothing is taken; that is a
// conflict.
func (a Applier) takeOver(ctx context.Context, live *unstructured.Unstructured) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(predecessor), a.Manager)
	if err == nil {
		err = a.Client.Patch(ctx, live, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(a.Manager))
	}
	return wrap("take over", live, err)
}
