package user

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// check finds what is wrong with the object by itself and beside others.
func (p *pass) check(ctx context.Context) (step.Outcome, error) {
	var wrong problem.List
	if reserved(p.user.Name) {
		wrong.Addf("`metadata.name`: '%s' is the name of a user that the store itself needs", p.user.Name)
	}
	if quotas := p.user.Spec.Quotas; quotas != nil {
		if quotas.MaxBuckets != nil && *quotas.MaxBuckets < -1 {
			wrong.Addf("`quotas.maxBuckets` must not be less than -1; remove it for no limit")
		}
		if quotas.MaxObjects != nil && *quotas.MaxObjects < -1 {
			wrong.Addf("`quotas.maxObjects` must not be less than -1; remove it for no limit")
		}
		if quotas.MaxSize != nil && quotas.MaxSize.Sign() < 0 {
			wrong.Addf("`quotas.maxSize` must not be negative; remove it for no limit")
		}
	}
	for _, one := range checkTemplate(p.user.Spec.SecretTemplate) {
		wrong.Addf("`%s`: %s", one.Field, one.Detail)
	}
	if err := wrong.Err(); err != nil {
		return step.Stall(api.ReasonInvalidSpec, err.Error()), nil
	}
	return p.checkRivals(ctx)
}

// checkTemplate finds what an API server would refuse in the Secret.
func checkTemplate(template *api.ObjectUserSecretTemplate) field.ErrorList {
	if template == nil {
		return nil
	}
	at := field.NewPath("secretTemplate")
	return append(metav1validation.ValidateLabels(template.Labels, at.Child("labels")),
		apivalidation.ValidateAnnotations(template.Annotations, at.Child("annotations"))...)
}

// reserved tells whether a name is that of a user of ours in every store.
func reserved(name string) bool {
	return name == names.AdminOpsUser || strings.HasSuffix(name, "-system-user")
}

// claimed tells whether a name may be that of a user which was made for a bucket claim.
func claimed(name string) bool { return strings.HasPrefix(name, "obc-") }

// checkRivals refuses an object when another one has the user.
func (p *pass) checkRivals(ctx context.Context) (step.Outcome, error) {
	rival, err := p.rival(ctx)
	if err != nil || rival == nil {
		return step.Done, err
	}
	where := "another namespace" // whose objects are not everybody's business
	if rival.Namespace == p.user.StoreNamespace() {
		where = "namespace '" + rival.Namespace + "'"
	}
	return step.Retry(refusedRetry, api.ReasonNameTaken, fmt.Sprintf(
		"A CephObjectStoreUser in %s has user '%s' of CephObjectStore '%s'; choose another name", where, p.user.Name, p.user.Spec.Store)), nil
}

// rival is another object that has the user; nil when there is none.
func (p *pass) rival(ctx context.Context) (*api.CephObjectStoreUser, error) {
	var list api.CephObjectStoreUserList
	if err := p.Client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list CephObjectStoreUsers: %w", err)
	}
	for i := range list.Items {
		other := &list.Items[i]
		same := other.Name == p.user.Name && other.Spec.Store == p.user.Spec.Store && other.StoreNamespace() == p.user.StoreNamespace()
		if !same || other.UID == p.user.UID || p.store != nil && !p.store.AllowsUsersIn(other.Namespace) {
			continue
		}
		if before(other, p.user) {
			return other, nil
		}
	}
	return nil, nil
}

// before tells which of two objects has the user: who was given keys, who is beside
// the store, who is older.
func before(a, b *api.CephObjectStoreUser) bool {
	order := cmp.Or(
		rank(a.Status == nil || len(a.Status.KeyHashes) == 0)-rank(b.Status == nil || len(b.Status.KeyHashes) == 0),
		rank(a.Namespace != a.StoreNamespace())-rank(b.Namespace != b.StoreNamespace()),
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace),
	)
	return order < 0
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}
