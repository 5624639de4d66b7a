// Package clusters finds the CephCluster and the subvolume group that a volume's
// clusterID means, and the Secrets of its CSI identities. It reads only, and
// only in the namespaces that this installation serves.
package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

var (
	// ErrUnknown is returned for a clusterID that is no namespace of a CephCluster.
	ErrUnknown = errors.New("no such cluster")
	// ErrNoSecret is returned when a Secret is missing.
	ErrNoSecret = errors.New("no such Secret")
)

// Finder finds clusters and Secrets. Reader should not be a cache for Secrets:
// the services may get single Secrets and never list them.
type Finder struct {
	Clusters client.Reader
	Secrets  client.Reader
	// Namespaces are those that this installation serves.
	Namespaces []string
	// Identities are the Secrets that stand in where a request carries none.
	Identities csi.Identities
}

// Connection returns how to reach the cluster. A cluster whose monitors are not
// published yet is ceph.ErrUnreachable.
func (f Finder) Connection(ctx context.Context, clusterID string) (api.Connection, error) {
	cluster, err := f.Cluster(ctx, clusterID)
	if err != nil {
		return api.Connection{}, err
	}
	if connection := cluster.Status.Connection; connection != nil && connection.MonHost != "" {
		return *connection, nil
	}
	return api.Connection{}, fmt.Errorf("find monitors of CephCluster %s/%s: none are published yet: %w",
		cluster.Namespace, cluster.Name, ceph.ErrUnreachable)
}

// For returns a Finder for the identities of another driver.
func (f Finder) For(identities csi.Identities) Finder {
	f.Identities = identities
	return f
}

// Cluster returns the CephCluster that the clusterID means: the one in the
// namespace of that name, or the one of the subvolume group that has it.
func (f Finder) Cluster(ctx context.Context, clusterID string) (*api.CephCluster, error) {
	namespace, _, err := f.resolve(ctx, clusterID)
	if err != nil {
		return nil, err
	}
	var list api.CephClusterList
	if err := f.Clusters.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list CephClusters in %q: %w", namespace, err)
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("%w: namespace %q has no CephCluster; %s must be the namespace of one",
			ErrUnknown, namespace, csi.ParamClusterID)
	}
	return &list.Items[0], nil
}

// SubvolumeGroup returns the subvolume group that the clusterID means.
func (f Finder) SubvolumeGroup(ctx context.Context, clusterID string) (string, error) {
	_, group, err := f.resolve(ctx, clusterID)
	return group, err
}

// infoClusterID is where the status of a subvolume group says its clusterID.
const infoClusterID = "clusterID"

// resolve returns the namespace and the subvolume group that a clusterID means.
func (f Finder) resolve(ctx context.Context, clusterID string) (namespace, group string, err error) {
	if clusterID == "" {
		return "", "", fmt.Errorf("%w: %s is empty; it must be the namespace of a CephCluster", ErrUnknown, csi.ParamClusterID)
	}
	if slices.Contains(f.Namespaces, clusterID) {
		return clusterID, csi.DefaultSubvolumeGroup, nil
	}
	for _, served := range f.Namespaces {
		var list api.CephFilesystemSubVolumeGroupList
		if err := f.Clusters.List(ctx, &list, client.InNamespace(served)); err != nil {
			return "", "", fmt.Errorf("list CephFilesystemSubVolumeGroups in %q: %w", served, err)
		}
		for i := range list.Items {
			if found := &list.Items[i]; found.Status != nil && found.Status.Info[infoClusterID] == clusterID {
				return served, found.GroupName(), nil
			}
		}
	}
	return "", "", fmt.Errorf("%w: %s %q is no namespace that this installation serves (%s), nor in the status of a CephFilesystemSubVolumeGroup there",
		ErrUnknown, csi.ParamClusterID, clusterID, strings.Join(f.Namespaces, ", "))
}

// Secret returns the data of a Secret.
func (f Finder) Secret(ctx context.Context, namespace, name string) (map[string]string, error) {
	var secret corev1.Secret
	err := f.Secrets.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("%w: %s/%s", ErrNoSecret, namespace, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s/%s: %w", namespace, name, err)
	}
	return csi.StringData(secret.Data), nil
}

// NodeKey returns the identity that nodes use for the cluster.
func (f Finder) NodeKey(ctx context.Context, clusterID string) (keyring.Key, error) {
	return f.key(ctx, clusterID, f.Identities.Node)
}

// ProvisionerKey returns the identity that provisions for the cluster.
func (f Finder) ProvisionerKey(ctx context.Context, clusterID string) (keyring.Key, error) {
	return f.key(ctx, clusterID, f.Identities.Provisioner)
}

func (f Finder) key(ctx context.Context, clusterID, name string) (keyring.Key, error) {
	namespace, _, err := f.resolve(ctx, clusterID)
	if err != nil {
		return keyring.Key{}, err
	}
	data, err := f.Secret(ctx, namespace, name)
	if err != nil {
		return keyring.Key{}, err
	}
	key, err := csi.Credentials(data)
	if err != nil {
		return keyring.Key{}, fmt.Errorf("read Secret %s/%s: %w", namespace, name, err)
	}
	return key, nil
}
