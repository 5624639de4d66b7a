package user

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ready"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// observe reads the store and the Secrets.
func (p *pass) observe(ctx context.Context) error {
	if err := p.readStore(ctx, p.Client); err != nil {
		return err
	}
	p.secrets = map[string]*corev1.Secret{}
	for _, key := range p.user.Spec.Keys {
		for _, ref := range []*corev1.SecretKeySelector{key.AccessKeyRef, key.SecretKeyRef} {
			if ref == nil || p.secrets[ref.Name] != nil {
				continue
			}
			found, err := p.readSecret(ctx, ref.Name)
			if err != nil {
				return err
			}
			if found != nil {
				p.secrets[ref.Name] = found
			}
		}
	}
	var err error
	p.published, err = p.readSecret(ctx, p.secretName())
	return err
}

// secretName is the Secret that publishes a key of the user.
func (p *pass) secretName() string { return names.ObjectUserSecret(p.user.Spec.Store, p.user.Name) }

// readSecret reads a Secret beside the user, past the cache; nil when there is none.
func (p *pass) readSecret(ctx context.Context, name string) (*corev1.Secret, error) {
	var found corev1.Secret
	err := p.Live.Get(ctx, client.ObjectKey{Namespace: p.user.Namespace, Name: name}, &found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	return &found, nil
}

// readStore reads the store; nil when there is none.
func (p *pass) readStore(ctx context.Context, reader client.Reader) error {
	var store api.CephObjectStore
	err := reader.Get(ctx, client.ObjectKey{Namespace: p.user.StoreNamespace(), Name: p.user.Spec.Store}, &store)
	if apierrors.IsNotFound(err) {
		p.store = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read CephObjectStore: %w", err)
	}
	p.store = &store
	return nil
}

// findStore waits for a store that can be asked. One whose user was made before is
// asked in any case: whether it answers, it will tell.
func (p *pass) findStore(context.Context) (step.Outcome, error) {
	name, namespace := p.user.Spec.Store, p.user.StoreNamespace()
	switch {
	case p.store == nil:
		return step.Retry(refusedRetry, api.ReasonParentMissing, fmt.Sprintf(
			"Waiting for CephObjectStore '%s' in namespace '%s', which does not exist", name, namespace)), nil
	case !p.store.AllowsUsersIn(p.user.Namespace):
		return step.Retry(refusedRetry, api.ReasonNamespaceNotAllowed, fmt.Sprintf(
			"CephObjectStore '%s' allows no users in namespace '%s'; add it to its `allowUsersInNamespaces`", name, p.user.Namespace)), nil
	case !p.store.DeletionTimestamp.IsZero():
		return step.Wait(api.ReasonParentNotReady, fmt.Sprintf("CephObjectStore '%s' is being deleted", name)), nil
	case !ready.Store(p.store) && len(p.before.KeyHashes) == 0:
		return step.Wait(api.ReasonParentNotReady, fmt.Sprintf("Waiting for CephObjectStore '%s', which is not ready", name)), nil
	}
	return step.Done, nil
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	found, outcome, err := p.Gateways.Client(ctx, p.store)
	p.gateway = found
	return outcome, err
}

// heard words the answers of a gateway that are no surprise.
func (p *pass) heard(err error) (step.Outcome, error) { return ops.Outcome(err, p.user.Spec.Store) }

// look reads the user, and refuses one that is somebody else's.
func (p *pass) look(ctx context.Context) (step.Outcome, error) {
	if outcome, err := p.readUser(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if p.live != nil && !p.ours() {
		return step.Retry(refusedRetry, api.ReasonNameTaken, fmt.Sprintf(
			"CephObjectStore '%s' has a user '%s' that was not made for this object; choose another name", p.user.Spec.Store, p.user.Name)), nil
	}
	return step.Done, nil
}

func (p *pass) readUser(ctx context.Context) (step.Outcome, error) {
	found, err := p.gateway.User(ctx, p.user.Name)
	if errors.Is(err, ops.ErrNotFound) {
		p.live = nil
		return step.Done, nil
	}
	p.live = &found
	return p.heard(err)
}

// ours tells whether the user that exists may be taken for the one of this object.
// Beside the store whoever may create the object may have it. Elsewhere it has to be
// one that was made for it, or whose key it has.
func (p *pass) ours() bool {
	if claimed(p.user.Name) && len(p.before.KeyHashes) == 0 {
		return false
	}
	if p.user.Namespace == p.user.StoreNamespace() || len(p.live.Keys) == 0 && len(p.before.KeyHashes) > 0 {
		return true
	}
	secret := pairOf(p.published)
	for _, key := range p.live.Keys {
		if p.given(key.AccessKey) || p.controls() && key.AccessKey == secret.Access && key.SecretKey == secret.Secret {
			return true
		}
	}
	return false
}

// controls tells whether the published Secret belongs to this object.
func (p *pass) controls() bool {
	return p.published != nil && metav1.IsControlledBy(p.published, p.user)
}

// checkPublished refuses to write over a Secret of somebody else.
func (p *pass) checkPublished(context.Context) (step.Outcome, error) {
	if p.published == nil || p.controls() {
		return step.Done, nil
	}
	orphan := metav1.GetControllerOf(p.published) == nil && p.published.Labels[names.LabelApp] == gateway.App &&
		p.published.Labels[names.LabelObjectStore] == p.user.Spec.Store
	if orphan { // restored from a copy
		return step.Done, nil
	}
	return step.Retry(refusedRetry, api.ReasonNameTaken, fmt.Sprintf(
		"Secret '%s' exists and does not belong to this user; delete it", p.published.Name)), nil
}
