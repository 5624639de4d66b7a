package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// secretRetry is how often a Secret is looked for that is not there.
const secretRetry = 10 * time.Second

// readSecrets reads the Secrets that the spec names. They are other people's and not
// watched, so a change is seen when the store is looked at next.
func (p *pass) readSecrets(ctx context.Context) (step.Outcome, error) {
	gw := &p.store.Spec.Gateway
	if name := p.store.CertificateRef(); name != "" && gw.SecurePort > 0 {
		if gw.SSLCertificateRef == "" {
			// The certificate is made for the Service, which so comes first.
			if err := p.Apply.Set(ctx, p.store, gateway.ServiceOf(p.cluster, p.store)); err != nil {
				return step.None, err
			}
		}
		secret, outcome, err := p.secret(ctx, "gateway.sslCertificateRef", name)
		if err != nil || !outcome.IsDone() {
			return outcome, err
		}
		var missing string
		if p.certificate, missing = gateway.ReadCertificate(secret); missing != "" {
			return lacks("gateway.sslCertificateRef", name, missing), nil
		}
	}
	if name := gw.CABundleRef; name != "" {
		secret, outcome, err := p.secret(ctx, "gateway.caBundleRef", name)
		if err != nil || !outcome.IsDone() {
			return outcome, err
		}
		var missing string
		if p.bundle, missing = gateway.ReadBundle(secret); missing != "" {
			return lacks("gateway.caBundleRef", name, missing), nil
		}
	}
	return p.readSecretOptions(ctx)
}

// readSecretOptions reads the values of options that Secrets hold.
func (p *pass) readSecretOptions(ctx context.Context) (step.Outcome, error) {
	p.secretOptions = map[string]string{}
	refs := p.store.Spec.Gateway.RGWConfigFromSecret
	for _, option := range slices.Sorted(maps.Keys(refs)) {
		field := "gateway.rgwConfigFromSecret[" + option + "]"
		secret, outcome, err := p.secret(ctx, field, refs[option].Name)
		if err != nil || !outcome.IsDone() {
			return outcome, err
		}
		value, found := secret.Data[refs[option].Key]
		if !found {
			return lacks(field, refs[option].Name, refs[option].Key), nil
		}
		p.secretOptions[option] = string(value)
	}
	return step.Done, nil
}

// secret reads one Secret that a field of the spec names.
func (p *pass) secret(ctx context.Context, field, name string) (*corev1.Secret, step.Outcome, error) {
	secret := &corev1.Secret{}
	err := p.Live.Get(ctx, client.ObjectKey{Namespace: p.store.Namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		outcome := step.Stall(api.ReasonSecretMissing, fmt.Sprintf("There is no Secret '%s', which `%s` names", name, field))
		outcome.After = secretRetry
		return nil, outcome, nil
	}
	if err != nil {
		return nil, step.None, fmt.Errorf("read Secret %s: %w", name, err)
	}
	return secret, step.Done, nil
}

func lacks(field, name, key string) step.Outcome {
	outcome := step.Stall(api.ReasonSecretInvalid, fmt.Sprintf("Secret '%s', which `%s` names, has no key %s", name, field, key))
	outcome.After = secretRetry
	return outcome
}

// secretsPrint changes with what the Secrets hold.
func (p *pass) secretsPrint() string {
	return gateway.Fingerprint(map[string]string{
		"certificate": p.certificate.Print, "bundle": p.bundle.Print, "options": gateway.Fingerprint(p.secretOptions),
	})
}
