//go:build envtest

package crdtest

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// columns gives what `kubectl get` prints of one of our cluster-scoped objects.
func columns(t *testing.T, plural, name string) []any {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(testenv.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	body, err := clientset.RESTClient().Get().AbsPath("/apis/inventory.ceph.rook.io/v1alpha1", plural, name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	table := &metav1.Table{}
	if err := json.Unmarshal(body, table); err != nil {
		t.Fatal(err)
	}
	var cells []any
	for i, column := range table.ColumnDefinitions {
		if column.Priority == 0 {
			cells = append(cells, table.Rows[0].Cells[i])
		}
	}
	return cells
}
