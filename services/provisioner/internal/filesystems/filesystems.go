// Package filesystems tells which file systems are about to go. It reads
// CephFilesystems only, and knows nothing about Ceph.
package filesystems

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Clusters finds the CephCluster that a clusterID means.
type Clusters interface {
	Cluster(ctx context.Context, clusterID string) (*api.CephCluster, error)
}

// Finder finds CephFilesystems.
type Finder struct {
	Clusters Clusters
	// Reader is a cache.
	Reader client.Reader
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephfilesystems,verbs=get;list;watch

// Leaving tells whether the CephFilesystem of a file system is being deleted. A file
// system that nobody here made has none and stays.
func (f Finder) Leaving(ctx context.Context, clusterID, name string) (bool, error) {
	cluster, err := f.Clusters.Cluster(ctx, clusterID)
	if err != nil {
		return false, err
	}
	var found api.CephFilesystem
	err = f.Reader.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: name}, &found)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read CephFilesystem %s/%s: %w", cluster.Namespace, name, err)
	}
	return !found.DeletionTimestamp.IsZero(), nil
}
