// Package owner says which CephCluster a namespace belongs to. It reads and never
// writes.
package owner

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// All returns the CephClusters that namespaces belong to: of each namespace the
// oldest one, the first by name among equals.
func All(clusters []api.CephCluster) []api.CephCluster {
	oldest := map[string]*api.CephCluster{}
	for i := range clusters {
		if now := oldest[clusters[i].Namespace]; now == nil || older(&clusters[i], now) {
			oldest[clusters[i].Namespace] = &clusters[i]
		}
	}
	var owners []api.CephCluster
	for i := range clusters {
		if oldest[clusters[i].Namespace] == &clusters[i] {
			owners = append(owners, clusters[i])
		}
	}
	return owners
}

// Of returns the CephCluster that a namespace belongs to; nil when there is
// none.
func Of(ctx context.Context, reader client.Reader, namespace string) (*api.CephCluster, error) {
	var list api.CephClusterList
	if err := reader.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list CephClusters of namespace %s: %w", namespace, err)
	}
	if owners := All(list.Items); len(owners) > 0 {
		return &owners[0], nil
	}
	return nil, nil
}

func older(a, b *api.CephCluster) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}

// Other returns the name of the CephCluster that the namespace of this one
// belongs to, when that is another. A surplus cluster has no daemons, and no say
// about anything in its namespace: no service holds it with a finalizer.
func Other(ctx context.Context, reader client.Reader, cluster *api.CephCluster) (string, error) {
	oldest, err := Of(ctx, reader, cluster.Namespace)
	if err != nil || oldest == nil || oldest.Name == cluster.Name {
		return "", err
	}
	return oldest.Name, nil
}
