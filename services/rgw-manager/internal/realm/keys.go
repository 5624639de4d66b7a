package realm

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/multisite"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// applyKeys draws the keys of a realm that is made here, unless somebody has provided
// them. Those of a pulled one come from where it was made; the setup waits for them.
func (p *pass) applyKeys(ctx context.Context) (step.Outcome, error) {
	if p.realm.Spec.PullEndpoint() != "" {
		return step.Done, nil
	}
	held := &corev1.Secret{}
	key := client.ObjectKey{Namespace: p.realm.Namespace, Name: names.RealmKeys(p.realm.Name)}
	err := p.Client.Get(ctx, key, held)
	if apierrors.IsNotFound(err) {
		// The cache holds only what we made, and may lag behind our own last write.
		err = p.Live.Get(ctx, key, held)
	}
	switch {
	case apierrors.IsNotFound(err):
		return step.Done, p.drawKeys(ctx)
	case err != nil:
		return step.None, fmt.Errorf("read Secret %s: %w", key.Name, err)
	case len(held.Data[names.RealmAccessKey]) == 0 || len(held.Data[names.RealmSecretKey]) == 0:
		return step.Retry(multisite.StalledRetry, api.ReasonSecretInvalid, fmt.Sprintf(
			"Secret %s must hold %s and %s; add them, or delete it to have them drawn", key.Name, names.RealmAccessKey, names.RealmSecretKey)), nil
	}
	return step.Done, nil
}

func (p *pass) drawKeys(ctx context.Context) error {
	drawn := accesskey.Draw()
	err := p.Apply.Set(ctx, p.realm, corev1ac.Secret(names.RealmKeys(p.realm.Name), p.realm.Namespace).
		WithLabels(map[string]string{
			names.LabelApp: gateway.App, names.LabelCluster: p.realm.Namespace, names.LabelPartOf: p.Cluster.Name,
			names.LabelManagedBy: gateway.Service, names.LabelCreatedBy: "rook-ceph",
		}).
		WithType(names.SecretType).
		WithData(map[string][]byte{names.RealmAccessKey: []byte(drawn.Access), names.RealmSecretKey: []byte(drawn.Secret)}))
	if err == nil {
		ctrl.LoggerFrom(ctx).Info("keys of realm drawn", "secret", names.RealmKeys(p.realm.Name))
	}
	return err
}
