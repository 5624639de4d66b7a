package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ready"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// shortUID is how much of a claim's uid tells its ObjectBucket from that of another.
const shortUID = 8

// find reads the class, the ObjectBucket and the store from the cache, and tells
// whether the claim is ours to act on.
func (p *pass) find(ctx context.Context) (bool, error) {
	var class storagev1.StorageClass
	err := p.Client.Get(ctx, client.ObjectKey{Name: p.claim.Spec.StorageClassName}, &class)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read StorageClass: %w", err)
	}
	if err == nil && p.Config.ours(class.Provisioner) {
		p.class = &class
	}
	touched := slices.ContainsFunc(p.claim.ManagedFields, func(m metav1.ManagedFieldsEntry) bool { return m.Manager == Name })
	if p.class != nil || touched || controllerutil.ContainsFinalizer(p.claim, objectbucket.Finalizer) {
		if p.record, err = p.findRecord(ctx, p.Client); err != nil {
			return false, err
		}
	}
	if p.class == nil && !touched && (p.record == nil || !slices.ContainsFunc(p.Config.Provisioners, p.madeBy)) {
		return false, nil
	}
	p.locate()
	return true, p.readStore(ctx, p.Client)
}

// locate says where the bucket is, or is to be.
func (p *pass) locate() {
	switch {
	case p.record != nil && p.record.Store().Name != "":
		p.at = p.record.Store()
	case p.class != nil:
		p.at = storeOf(p.class)
	}
}

// reread reads the ObjectBucket past the cache: nothing that was made may be overlooked
// because a cache lags behind.
func (p *pass) reread(ctx context.Context) (step.Outcome, error) {
	found, err := p.findRecord(ctx, p.Live)
	if err != nil {
		return step.None, err
	}
	p.record = found
	p.locate()
	return step.Done, p.readStore(ctx, p.Client)
}

// madeBy tells whether the ObjectBucket was made under a name of the provisioner.
func (p *pass) madeBy(provisioner string) bool {
	return p.record.Labels[labelProvisioner] == label(provisioner)
}

// recordNames are the names that the ObjectBucket of the claim may have, the one for a
// new one first. The second is for a claim whose namesake left its own behind.
func (p *pass) recordNames() []string {
	plain := "obc-" + p.claim.Namespace + "-" + p.claim.Name
	all := []string{plain, plain + "-" + string(p.claim.UID[:min(shortUID, len(p.claim.UID))])}
	for _, told := range []string{p.before.ObjectBucketName, p.claim.Spec.ObjectBucketName} {
		if told != "" && !slices.Contains(all, told) {
			all = append(all, told)
		}
	}
	return all
}

// findRecord reads the ObjectBucket of the claim; nil if there is none.
func (p *pass) findRecord(ctx context.Context, reader client.Reader) (*objectbucket.ObjectBucket, error) {
	for _, name := range p.recordNames() {
		found, err := readRecord(ctx, reader, name)
		if err != nil {
			return nil, err
		}
		if found != nil && p.belongs(found) {
			return found, nil
		}
	}
	return nil, nil
}

func readRecord(ctx context.Context, reader client.Reader, name string) (*objectbucket.ObjectBucket, error) {
	var found objectbucket.ObjectBucket
	err := reader.Get(ctx, client.ObjectKey{Name: name}, &found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ObjectBucket %s: %w", name, err)
	}
	return &found, nil
}

// belongs tells whether an ObjectBucket is that of the claim, and not of one that had
// its name before.
func (p *pass) belongs(record *objectbucket.ObjectBucket) bool {
	ref := record.Spec.ClaimRef
	return ref != nil && ref.Namespace == p.claim.Namespace && ref.Name == p.claim.Name && (ref.UID == p.claim.UID || ref.UID == "")
}

// recorded is what the ObjectBucket remembers; empty without one.
func (p *pass) recorded(key string) string {
	if p.record == nil {
		return ""
	}
	return p.record.Spec.AdditionalState[key]
}

// served tells whether stores of a namespace are ours.
func (c Config) served(namespace string) bool {
	return len(c.Namespaces) == 0 || slices.Contains(c.Namespaces, namespace)
}

// readStore reads the store; nil when there is none or it is not for us.
func (p *pass) readStore(ctx context.Context, reader client.Reader) error {
	p.store = nil
	if p.at.Name == "" || !p.Config.served(p.at.Namespace) {
		return nil
	}
	var store api.CephObjectStore
	err := reader.Get(ctx, p.at, &store)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read CephObjectStore: %w", err)
	}
	p.store = &store
	return nil
}

// findStore waits for a store that can be asked. One that has served the claim before
// is asked in any case: whether it answers, it will tell.
func (p *pass) findStore(context.Context) (step.Outcome, error) {
	switch {
	case !p.Config.served(p.at.Namespace):
		return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf(
			"StorageClass '%s' names namespace '%s', which this installation does not serve", p.claim.Spec.StorageClassName, p.at.Namespace)), nil
	case p.store == nil || !p.store.DeletionTimestamp.IsZero():
		return step.Wait(api.ReasonParentMissing, fmt.Sprintf(
			"Waiting for CephObjectStore '%s' in namespace '%s', which does not exist", p.at.Name, p.at.Namespace)), nil
	case !ready.Store(p.store) && p.before.Phase != objectbucket.ObjectBucketClaimBound:
		return step.Wait(api.ReasonParentNotReady, fmt.Sprintf("Waiting for CephObjectStore '%s', which is not ready", p.at.Name)), nil
	}
	if p.class == nil {
		return step.Done, nil
	}
	var err error
	if p.want.address, err = addressOf(p.class, p.store); err != nil {
		return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("StorageClass '%s': %s", p.class.Name, err)), nil
	}
	return step.Done, nil
}

func (p *pass) connect(ctx context.Context) (step.Outcome, error) {
	found, outcome, err := p.Gateways.Gateway(ctx, p.store)
	p.gateway = found
	return outcome, err
}

// look reads the bucket and its users, and refuses what is somebody else's.
func (p *pass) look(ctx context.Context) (step.Outcome, error) {
	if outcome, err := p.readBucket(ctx, p.want.bucket); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	var outcome step.Outcome
	var err error
	if p.user, outcome, err = p.readUser(ctx, p.want.user); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if p.user == nil && !p.want.owned() {
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"`bucketOwner` '%s' is no user of CephObjectStore '%s'; create it first", p.want.user, p.at.Name)), nil
	}
	if p.want.granted {
		return p.lookGranted(ctx)
	}
	p.owner = p.user
	return p.judge(), nil
}

// judge refuses a bucket that is not the claim's, or cannot become what it wants.
func (p *pass) judge() step.Outcome {
	switch {
	case p.bucket == nil && p.before.Phase == objectbucket.ObjectBucketClaimBound:
		return step.Retry(refusedRetry, api.ReasonDrift, fmt.Sprintf(
			"Bucket '%s' is gone from CephObjectStore '%s'; delete the claim, and make another", p.want.bucket, p.at.Name))
	case p.bucket == nil:
		return step.Done
	case !p.own():
		return p.taken()
	case p.bucket.Owner != p.want.user && p.inside() > 0:
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"`bucketOwner` may change only while the bucket is empty, since objects stay with who wrote them; now '%s' owns it", p.bucket.Owner))
	}
	return step.Done
}

// own tells whether the bucket is the claim's. The user that was made for the claim
// owns nothing else. Another owner may have made a bucket of that name: it has to be
// the very one that was made here, or that another provisioner said it had made.
func (p *pass) own() bool {
	owner := p.bucket.Owner
	if owner == p.want.own {
		return true
	}
	if p.record == nil || owner != p.want.user && owner != p.recorded(objectbucket.StateUser) {
		return false
	}
	if p.recorded(stateAccess) == "" {
		return true
	}
	return p.recorded(stateMarker) != "" && p.recorded(stateMarker) == p.bucket.Marker
}

func (p *pass) taken() step.Outcome {
	return step.Retry(refusedRetry, api.ReasonNameTaken, fmt.Sprintf(
		"Bucket '%s' exists in CephObjectStore '%s' and belongs to somebody else; choose another `bucketName`", p.want.bucket, p.at.Name))
}

// lookGranted reads the owner of a bucket that others own.
func (p *pass) lookGranted(ctx context.Context) (step.Outcome, error) {
	if p.bucket == nil {
		return step.Retry(refusedRetry, api.ReasonParentMissing, fmt.Sprintf(
			"Bucket '%s' of StorageClass '%s' does not exist in CephObjectStore '%s'", p.want.bucket, p.claim.Spec.StorageClassName, p.at.Name)), nil
	}
	var outcome step.Outcome
	var err error
	if p.owner, outcome, err = p.readUser(ctx, p.bucket.Owner); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if p.owner == nil {
		return step.Retry(refusedRetry, api.ReasonGatewayRefused, fmt.Sprintf(
			"Bucket '%s' cannot be shared: its owner '%s' does not exist", p.want.bucket, p.bucket.Owner)), nil
	}
	return step.Done, nil
}

func (p *pass) readBucket(ctx context.Context, name string) (step.Outcome, error) {
	found, err := p.gateway.Bucket(ctx, name)
	if errors.Is(err, ops.ErrNotFound) {
		p.bucket = nil
		return step.Done, nil
	}
	p.bucket = &found
	return p.heard(err)
}

// readUser reads a user; nil when there is none.
func (p *pass) readUser(ctx context.Context, uid string) (*admin.User, step.Outcome, error) {
	found, err := p.gateway.User(ctx, uid)
	if errors.Is(err, ops.ErrNotFound) {
		return nil, step.Done, nil
	}
	outcome, err := p.heard(err)
	return &found, outcome, err
}

// lookBeside reads the Secret and the ConfigMap beside the claim, past the cache, and
// refuses those of somebody else. What is being deleted is let go, to be made again.
func (p *pass) lookBeside(ctx context.Context) (step.Outcome, error) {
	if err := p.readBeside(ctx); err != nil {
		return step.None, err
	}
	for _, obj := range p.beside() {
		kind := kindOf(obj)
		switch {
		case !p.ownedBy(obj):
			return step.Retry(refusedRetry, api.ReasonNameTaken, fmt.Sprintf(
				"%s '%s' exists and does not belong to the claim; delete it, or give the claim another name", kind, obj.GetName())), nil
		case !obj.GetDeletionTimestamp().IsZero():
			err := p.Apply.RemoveFinalizer(ctx, obj, objectbucket.Finalizer)
			return step.Retry(gatewayRetry, api.ReasonWaiting, fmt.Sprintf("%s '%s' was deleted and is made again", kind, obj.GetName())), err
		}
	}
	return step.Done, nil
}

func kindOf(obj client.Object) string {
	if _, is := obj.(*corev1.Secret); is {
		return "Secret"
	}
	return "ConfigMap"
}

// beside are the objects beside the claim that exist.
func (p *pass) beside() []client.Object {
	var all []client.Object
	if p.secret != nil {
		all = append(all, p.secret)
	}
	if p.config != nil {
		all = append(all, p.config)
	}
	return all
}

func (p *pass) ownedBy(obj client.Object) bool {
	return slices.ContainsFunc(obj.GetOwnerReferences(), func(ref metav1.OwnerReference) bool { return ref.UID == p.claim.UID })
}

func (p *pass) readBeside(ctx context.Context) error {
	p.secret, p.config = &corev1.Secret{}, &corev1.ConfigMap{}
	at := client.ObjectKeyFromObject(p.claim)
	err := p.Live.Get(ctx, at, p.secret)
	if apierrors.IsNotFound(err) {
		p.secret, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("read Secret %s: %w", at, err)
	}
	err = p.Live.Get(ctx, at, p.config)
	if apierrors.IsNotFound(err) {
		p.config, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("read ConfigMap %s: %w", at, err)
	}
	return nil
}

// sentence begins a text with a capital letter.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
