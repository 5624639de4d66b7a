package apply

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// predecessor is the field manager of Rook's operator, the name of its program.
const predecessor = "rook"

// inherits tells whether Rook's operator wrote fields of live that nobody took over.
// What it wrote to a status belongs to another subresource and does not count.
func inherits(live *unstructured.Unstructured) bool {
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
