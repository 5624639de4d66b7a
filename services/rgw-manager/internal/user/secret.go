package user

import (
	"context"
	"maps"
	"slices"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// publish writes the first key and the address for clients. The user has the key by
// then.
func (p *pass) publish(ctx context.Context) (step.Outcome, error) {
	beside := apply.Applier{Client: apply.Past(p.Client, p.Live), Manager: p.Apply.Manager}
	if err := beside.Set(ctx, p.user, p.secret()); err != nil {
		return step.None, err
	}
	written, err := p.readSecret(ctx, p.secretName())
	if err != nil {
		return step.None, err
	}
	p.published = written
	p.drawn.Delete(p.user.UID)
	p.now.Info = map[string]string{api.ObjectUserInfoSecret: p.secretName()}
	p.now.Keys = nil
	for _, name := range slices.Sorted(maps.Keys(p.secrets)) {
		from := p.secrets[name]
		p.now.Keys = append(p.now.Keys, api.ObjectUserSecretReference{
			Name: name, Namespace: from.Namespace, UID: from.UID, ResourceVersion: from.ResourceVersion})
	}
	return step.Done, nil
}

func (p *pass) secret() *corev1ac.SecretApplyConfiguration {
	data := map[string][]byte{
		names.ObjectUserAccessKey: []byte(p.keys[0].Access), names.ObjectUserSecretKey: []byte(p.keys[0].Secret),
		names.ObjectUserEndpoint: []byte(endpoint(p.store)),
	}
	if certificate := p.store.Spec.Gateway.SSLCertificateRef; certificate != "" {
		data[names.ObjectUserSSLCert] = []byte(certificate)
	}
	template := ptr.Deref(p.user.Spec.SecretTemplate, api.ObjectUserSecretTemplate{})
	return corev1ac.Secret(p.secretName(), p.user.Namespace).WithType(names.SecretType).WithData(data).
		WithAnnotations(template.Annotations).WithLabels(template.Labels).
		WithLabels(map[string]string{
			names.LabelApp: gateway.App, names.LabelCluster: p.user.StoreNamespace(), names.LabelObjectStore: p.user.Spec.Store,
			"user": label(p.user.Name), names.LabelManagedBy: gateway.Service,
		})
}

// label is a name as far as the value of a label holds it.
func label(name string) string { return name[:min(len(name), 63)] }

// endpoint is where clients find the store: what it advertises, else its Service, over
// TLS if it offers that.
func endpoint(store *api.CephObjectStore) string {
	all := gateway.Endpoints(store)
	hosting := store.Spec.Hosting
	advertisedPlain := hosting != nil && hosting.AdvertiseEndpoint != nil && !hosting.AdvertiseEndpoint.UseTLS
	switch {
	case len(all.Secure) > 0 && !advertisedPlain:
		return all.Secure[0]
	case len(all.Insecure) > 0:
		return all.Insecure[0]
	}
	return ""
}
