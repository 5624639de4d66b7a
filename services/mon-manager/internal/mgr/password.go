package mgr

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const (
	passwordKey    = "password"
	passwordLength = 20
	// annotationPending marks a password that the dashboard may not know yet. It
	// is there from the first moment, so that no crash leaves people with a
	// password that does not work.
	annotationPending = "ceph.rook.io/password-pending"
)

// password reads the Secret with the password that people know, or makes one.
// It returns nil when the Secret is there after all and was not seen yet.
func (p *pass) password(ctx context.Context) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: p.cluster.Namespace, Name: names.DashboardPassword}
	err := p.Client.Get(ctx, key, secret)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Secret %s: %w", key.Name, err)
	}
	if len(secret.Data[passwordKey]) > 0 {
		return secret, nil
	}
	fresh, mintErr := Password(p.Random)
	if mintErr != nil {
		return nil, mintErr
	}
	if err == nil {
		return secret, p.patchPassword(ctx, secret, "fill", func() {
			setAnnotation(secret, annotationPending, "true")
			secret.Data = map[string][]byte{passwordKey: []byte(fresh)}
		})
	}
	return p.createPassword(ctx, key, fresh)
}

// createPassword makes the Secret. Create, and not apply: a Secret that is there
// after all must win.
func (p *pass) createPassword(ctx context.Context, key client.ObjectKey, fresh string) (*corev1.Secret, error) {
	secret := &corev1.Secret{Type: names.SecretType, StringData: map[string]string{passwordKey: fresh}}
	secret.Namespace, secret.Name = key.Namespace, key.Name
	secret.Labels = map[string]string{apply.ManagedBy: Name}
	setAnnotation(secret, annotationPending, "true")
	if err := controllerutil.SetControllerReference(p.cluster, secret, p.Client.Scheme()); err != nil {
		return nil, fmt.Errorf("own Secret %s: %w", key.Name, err)
	}
	err := p.Client.Create(ctx, secret, client.FieldOwner(Name))
	if apierrors.IsAlreadyExists(err) {
		p.rolling = "Waiting to see Secret " + key.Name
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("create Secret %s: %w", key.Name, err)
	}
	secret.Data = map[string][]byte{passwordKey: []byte(fresh)}
	return secret, nil
}

// confirmPassword notes that the dashboard knows the password.
func (p *pass) confirmPassword(ctx context.Context, secret *corev1.Secret) error {
	return p.patchPassword(ctx, secret, "confirm", func() { delete(secret.Annotations, annotationPending) })
}

func (p *pass) patchPassword(ctx context.Context, secret *corev1.Secret, verb string, change func()) error {
	before := secret.DeepCopy()
	change()
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := p.Client.Patch(ctx, secret, patch, client.FieldOwner(Name)); err != nil {
		return fmt.Errorf("%s Secret %s: %w", verb, secret.Name, err)
	}
	return nil
}

func setAnnotation(secret *corev1.Secret, name, value string) {
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[name] = value
}

// Password makes a password of letters, digits and signs that no shell eats.
func Password(random io.Reader) (string, error) {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_.:+=%"
	raw := make([]byte, passwordLength)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make password: %w", err)
	}
	for i := range raw {
		raw[i] = alphabet[int(raw[i])%len(alphabet)]
	}
	return string(raw), nil
}
