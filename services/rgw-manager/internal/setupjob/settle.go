package setupjob

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// secretRetry is how soon to look again for a Secret that is not watched.
const secretRetry = 5 * time.Second

// Settle is Ensure for an object whose status says what was brought about before:
// while that is what is wanted, no Job is looked for. The keys that the wish refers
// to are part of it.
func (r Runner) Settle(ctx context.Context, cluster *api.CephCluster, owner client.Object, wanted rgwadmin.Wanted, before *api.ObjectSetupStatus) (api.ObjectSetupStatus, step.Outcome, error) {
	none := api.ObjectSetupStatus{}
	if wanted.Remove == rgwadmin.Keep {
		keys, outcome, err := r.keys(ctx, owner.GetNamespace(), wanted)
		if err != nil || !outcome.IsDone() {
			return none, outcome, err
		}
		wanted.Keys = keys
	}
	if before != nil {
		if before.Hash == wanted.Hash() {
			return *before, step.Done, nil
		}
		wanted.Known = rgwadmin.Known{RealmID: before.RealmID, ZoneGroupID: before.ZoneGroupID, ZoneID: before.ZoneID}
	}
	result, outcome, err := r.Ensure(ctx, cluster, owner, wanted)
	if err != nil || !outcome.IsDone() {
		return none, outcome, err
	}
	return api.ObjectSetupStatus{
		Hash: wanted.Hash(), RealmID: result.Known.RealmID, ZoneGroupID: result.Known.ZoneGroupID, ZoneID: result.Known.ZoneID,
	}, step.Done, nil
}

// keys is a fingerprint of the keys that a wish refers to.
func (r Runner) keys(ctx context.Context, namespace string, wanted rgwadmin.Wanted) (string, step.Outcome, error) {
	var values []string
	for _, ref := range wanted.KeyRefs() {
		secret := &corev1.Secret{}
		at := client.ObjectKey{Namespace: namespace, Name: ref.Secret}
		err := r.Client.Get(ctx, at, secret)
		if apierrors.IsNotFound(err) {
			err = r.Live.Get(ctx, at, secret) // the cache holds those that we made, and no others
		}
		if apierrors.IsNotFound(err) {
			return "", step.Retry(secretRetry, api.ReasonSecretMissing, fmt.Sprintf("Waiting for Secret %s", ref.Secret)), nil
		}
		if err != nil {
			return "", step.None, fmt.Errorf("read Secret %s: %w", ref.Secret, err)
		}
		access, hidden := secret.Data[ref.AccessKey], secret.Data[ref.SecretKey]
		if len(access) == 0 || len(hidden) == 0 {
			return "", step.Retry(secretRetry, api.ReasonSecretInvalid, fmt.Sprintf(
				"Secret %s must hold %s and %s", ref.Secret, ref.AccessKey, ref.SecretKey)), nil
		}
		values = append(values, string(access), string(hidden))
	}
	return rgwadmin.Fingerprint(values...), step.Done, nil
}
