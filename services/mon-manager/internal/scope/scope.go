// Package scope says which CephClusters this service works on. It reads and
// never writes.
package scope

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
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
	if older, err := owner.Other(ctx, reader, cluster); err != nil || older != "" {
		return Surplus, older, err
	}
	if cluster.Spec.CleanupPolicy.Confirmation == api.DestroyDataConfirmation {
		return Confirmed, "", nil
	}
	return Served, "", nil
}
