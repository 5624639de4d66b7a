// Package scope says which CephClusters this service works on. It reads and
// never writes.
package scope

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Verdict is whether a CephCluster is worked on, and if not why.
type Verdict string

// The verdicts.
const (
	// Served clusters are worked on.
	Served Verdict = "Served"
	// External clusters run elsewhere; nothing is started for them.
	External Verdict = "External"
	// Surplus clusters share their namespace with an older CephCluster.
	Surplus Verdict = "Surplus"
	// Paused clusters carry the label that asks to be left alone.
	Paused Verdict = "Paused"
	// Confirmed clusters are to be destroyed: nothing is set up any more.
	Confirmed Verdict = "Confirmed"
)

// Of returns the verdict on a cluster; for Surplus also the name of the older
// CephCluster.
func Of(ctx context.Context, reader client.Reader, cluster *api.CephCluster) (Verdict, string, error) {
	if names.Paused(cluster.Labels) {
		return Paused, "", nil
	}
	if cluster.Spec.External.Enable {
		return External, "", nil
	}
	var list api.CephClusterList
	if err := reader.List(ctx, &list, client.InNamespace(cluster.Namespace)); err != nil {
		return "", "", fmt.Errorf("list CephClusters of namespace %s: %w", cluster.Namespace, err)
	}
	if first := Oldest(list.Items); first != "" && first != cluster.Name {
		return Surplus, first, nil
	}
	if cluster.Spec.CleanupPolicy.Confirmation == api.DestroyDataConfirmation {
		return Confirmed, "", nil
	}
	return Served, "", nil
}

// Oldest returns the name of the CephCluster that a namespace belongs to: the
// oldest one, the first by name among equals.
func Oldest(clusters []api.CephCluster) string {
	oldest := -1
	for i := range clusters {
		if oldest < 0 || older(&clusters[i], &clusters[oldest]) {
			oldest = i
		}
	}
	if oldest < 0 {
		return ""
	}
	return clusters[oldest].Name
}

func older(a, b *api.CephCluster) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}
