package attachment

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Nodes looks Kubernetes nodes up.
type Nodes struct{ Reader client.Reader }

// Exists tells whether there is a Node of that name.
func (n Nodes) Exists(ctx context.Context, name string) (bool, error) {
	var node corev1.Node
	err := n.Reader.Get(ctx, types.NamespacedName{Name: name}, &node)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read Node %s: %w", name, err)
	}
	return true, nil
}
