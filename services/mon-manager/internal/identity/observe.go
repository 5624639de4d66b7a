package identity

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/placement"
)

// Observe reads what speaks of the identity of cluster. While the Secret is
// there nothing but the Secret is read. Members is for the caller to fill in
// before, since it reads them anyway.
func Observe(ctx context.Context, reader client.Reader, cluster *api.CephCluster, members bool) (Seen, error) {
	seen := Seen{
		Members:    members,
		StatusFSID: statusFSID(cluster),
		TakeOver:   cluster.Spec.CleanupPolicy.WipeDevicesFromOtherClusters,
	}
	var secret corev1.Secret
	err := reader.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: names.MonSecret}, &secret)
	if err == nil {
		seen.Secret = true
		seen.Ours = metav1.IsControlledBy(&secret, cluster)
		seen.Known, seen.Broken = FromSecret(&secret)
	} else if !apierrors.IsNotFound(err) {
		return seen, fmt.Errorf("read Secret %s: %w", names.MonSecret, err)
	}
	if seen.Secret && members {
		return seen, nil
	}
	return seen, seen.observeTraces(ctx, reader, cluster)
}

func (s *Seen) observeTraces(ctx context.Context, reader client.Reader, cluster *api.CephCluster) error {
	for _, read := range []func(context.Context, client.Reader, *api.CephCluster) error{
		s.observeDaemons, s.observeKeyrings, s.observeOSDs, s.observeDisks,
	} {
		if err := read(ctx, reader, cluster); err != nil {
			return err
		}
	}
	return nil
}

func (s *Seen) observeDaemons(ctx context.Context, reader client.Reader, cluster *api.CephCluster) error {
	var list appsv1.DeploymentList
	err := reader.List(ctx, &list, client.InNamespace(cluster.Namespace), client.HasLabels{names.LabelDaemonType})
	if err != nil {
		return fmt.Errorf("list Deployments: %w", err)
	}
	for i := range list.Items {
		s.Daemons = append(s.Daemons, list.Items[i].Name)
	}
	return nil
}

func (s *Seen) observeKeyrings(ctx context.Context, reader client.Reader, cluster *api.CephCluster) error {
	for _, name := range []string{names.MonsKeyring, names.AdminKeyring} {
		err := reader.Get(ctx, client.ObjectKey{Namespace: cluster.Namespace, Name: name}, &corev1.Secret{})
		if err == nil {
			s.Keyrings = append(s.Keyrings, name)
		} else if !apierrors.IsNotFound(err) {
			return fmt.Errorf("read Secret %s: %w", name, err)
		}
	}
	return nil
}

func (s *Seen) observeOSDs(ctx context.Context, reader client.Reader, cluster *api.CephCluster) error {
	var list inventory.CephOSDList
	if err := reader.List(ctx, &list, client.InNamespace(cluster.Namespace)); err != nil {
		return fmt.Errorf("list CephOSDs: %w", err)
	}
	for i := range list.Items {
		// Without an id it is a plan that no Ceph cluster has heard of yet.
		if list.Items[i].Spec.ID != nil {
			s.OSDs = append(s.OSDs, list.Items[i].Name)
		}
	}
	return nil
}

func (s *Seen) observeDisks(ctx context.Context, reader client.Reader, cluster *api.CephCluster) error {
	var list inventory.CephDiskList
	if err := reader.List(ctx, &list); err != nil {
		return fmt.Errorf("list CephDisks: %w", err)
	}
	s.Labels = map[string]string{}
	reported := map[string]bool{}
	for i := range list.Items {
		disk := &list.Items[i]
		reported[disk.Status.Node] = true
		if label := disk.Status.OSD; label != nil && selects(&cluster.Spec.Storage, disk.Status.Node) && !claimed(disk, cluster) {
			s.Labels[disk.Name] = label.FSID
		}
	}
	return s.observeSilence(ctx, reader, cluster, reported)
}

// observeSilence names the nodes that may get OSDs and of which discover has
// reported no disk. Where no OSD may run nothing is expected.
func (s *Seen) observeSilence(ctx context.Context, reader client.Reader, cluster *api.CephCluster, reported map[string]bool) error {
	var nodes corev1.NodeList
	if err := reader.List(ctx, &nodes); err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	s.Silent = nil
	for i := range nodes.Items {
		node := &nodes.Items[i]
		if !reported[node.Name] && selects(&cluster.Spec.Storage, node.Name) &&
			placement.Unfit(node, daemon.Placement(cluster, api.KeyOSD)) == "" {
			s.Silent = append(s.Silent, node.Name)
		}
	}
	return nil
}

// selects tells whether the spec reaches for disks of the node.
func selects(storage *api.StorageScopeSpec, node string) bool {
	return storage.UseAllNodes || slices.ContainsFunc(storage.Nodes, func(n api.Node) bool { return n.Name == node })
}

// claimed tells whether the disk is known to be of a cluster in another
// namespace, which is alive and none of ours.
func claimed(disk *inventory.CephDisk, cluster *api.CephCluster) bool {
	selection := disk.Status.Selection
	return selection != nil && selection.OSDID != nil && selection.Cluster.Namespace != cluster.Namespace
}

func statusFSID(cluster *api.CephCluster) string {
	if at := cluster.Status.Connection; at != nil && at.FSID != "" {
		return at.FSID
	}
	if at := cluster.Status.CephStatus; at != nil {
		return at.FSID
	}
	return ""
}
