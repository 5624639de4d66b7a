package link

import (
	"context"
	"errors"
	"fmt"
	"sync"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// keyringKey is the key of the Secrets that hold our services' identities.
const keyringKey = "keyring"

// Secrets reads the data of one Secret.
type Secrets interface {
	Secret(ctx context.Context, namespace, name string) (map[string]string, error)
}

// Sessions connects as the provisioner's own identity, which may make pools. It
// reads the Secret once, and again when the cluster refuses the key or a call.
type Sessions struct {
	Connections *Connections
	Secrets     Secrets

	keys sync.Map
}

// Session returns the shared connection to a cluster.
func (s *Sessions) Session(ctx context.Context, cluster *api.CephCluster) (storage.Cluster, error) {
	if cluster.Status.Connection == nil {
		return nil, fmt.Errorf("connect to CephCluster %s: no monitors are published yet: %w", cluster.Name, ceph.ErrUnreachable)
	}
	key, err := s.key(ctx, cluster)
	if err != nil {
		return nil, err
	}
	refused := func(err error) {
		if errors.Is(err, ceph.ErrDenied) {
			s.keys.Delete(cluster.UID)
		}
	}
	session, err := s.Connections.Get(ctx, *cluster.Status.Connection, key)
	if err != nil {
		refused(err)
		return nil, Explain(err, key.Entity)
	}
	return storage.Guard(session, refused), nil
}

func (s *Sessions) key(ctx context.Context, cluster *api.CephCluster) (keyring.Key, error) {
	if known, ok := s.keys.Load(cluster.UID); ok {
		if key, ok := known.(keyring.Key); ok {
			return key, nil
		}
	}
	name := names.ServiceKeyring("provisioner")
	data, err := s.Secrets.Secret(ctx, cluster.Namespace, name)
	if err != nil {
		return keyring.Key{}, err
	}
	keys, err := keyring.Parse(data[keyringKey])
	if err == nil && len(keys) == 0 {
		err = clusters.ErrNoSecret
	}
	if err != nil {
		return keyring.Key{}, fmt.Errorf("read Secret %s/%s: %w", cluster.Namespace, name, err)
	}
	s.keys.Store(cluster.UID, keys[0])
	return keys[0], nil
}
