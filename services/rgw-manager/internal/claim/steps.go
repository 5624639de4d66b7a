package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/ceph/go-ceph/rgw/admin"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// one bucket is what the user of a claim may own.
	one = 1
	// noBuckets is the limit of a user that owns none: Ceph takes 0 for any number.
	noBuckets = -1
)

func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.Apply.Finalizer(ctx, p.claim, objectbucket.Finalizer)
}

// note writes down what will be made, before it is: without, nobody would know what to
// remove. What was made before stays written down until it is gone.
func (p *pass) note(ctx context.Context) (step.Outcome, error) {
	user := p.recorded(objectbucket.StateUser)
	if user == "" {
		user = p.want.own
	}
	settings := slices.Concat(p.set(), bucket.Remembered(p.want.settings))
	slices.Sort(settings)
	return p.write(ctx, user, slices.Compact(settings))
}

// noteSettings writes down how it is now.
func (p *pass) noteSettings(ctx context.Context) (step.Outcome, error) {
	return p.write(ctx, p.want.user, bucket.Remembered(p.want.settings))
}

func (p *pass) write(ctx context.Context, user string, settings []string) (step.Outcome, error) {
	name, err := p.recordName(ctx)
	if err != nil {
		return step.None, err
	}
	desired := p.recordOf(name, user, settings)
	if err := p.besides().Typed(ctx, nil, desired); err != nil {
		return step.None, err
	}
	written, err := readRecord(ctx, p.Live, name)
	if err != nil || written == nil {
		return step.Retry(gatewayRetry, api.ReasonWaiting, "Waiting for the ObjectBucket"), err
	}
	p.record = written
	return step.Done, p.Apply.Finalizer(ctx, p.record, objectbucket.Finalizer)
}

// recordName is the name of the ObjectBucket, or for one: a name that no other has.
func (p *pass) recordName(ctx context.Context) (string, error) {
	if p.record != nil {
		return p.record.Name, nil
	}
	all := p.recordNames()
	other, err := readRecord(ctx, p.Live, all[0])
	if err != nil || other == nil || p.belongs(other) {
		return all[0], err
	}
	return all[1], nil
}

// makeUser makes the user of the claim, and gives it a key if it has none. An owner
// that the claim names was found.
func (p *pass) makeUser(ctx context.Context) (step.Outcome, error) {
	if p.user == nil {
		var outcome step.Outcome
		var err error
		if p.user, outcome, err = p.newUser(ctx); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	if len(p.user.Keys) == 0 {
		if !p.want.owned() {
			return step.Retry(refusedRetry, api.ReasonGatewayRefused, fmt.Sprintf("User '%s' has no keys", p.user.ID)), nil
		}
		if outcome, err := p.addKey(ctx, p.user); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	if !p.want.granted {
		p.owner = p.user
	}
	return step.Done, nil
}

// newUser makes the user that is the claim's own.
func (p *pass) newUser(ctx context.Context) (*admin.User, step.Outcome, error) {
	limit := one
	if p.want.granted {
		limit = noBuckets
	}
	made, err := p.gateway.CreateUser(ctx, admin.User{ID: p.want.own, DisplayName: p.want.own, MaxBuckets: &limit, GenerateKey: ptr.To(true)})
	if errors.Is(err, ops.ErrExists) {
		return nil, step.Retry(gatewayRetry, api.ReasonWaiting, "The user was made meanwhile"), nil
	}
	outcome, err := p.heard(err)
	return &made, outcome, err
}

// addKey gives a user another key, as the last one.
func (p *pass) addKey(ctx context.Context, user *admin.User) (step.Outcome, error) {
	return p.addKeyLike(ctx, user, "")
}

// addKeyLike gives a user a key whose name begins with the given text.
func (p *pass) addKeyLike(ctx context.Context, user *admin.User, begin string) (step.Outcome, error) {
	drawn := accesskey.Draw()
	key := admin.UserKeySpec{User: user.ID, AccessKey: begin + drawn.Access[len(begin):], SecretKey: drawn.Secret}
	outcome, err := p.heard(p.gateway.AddKey(ctx, user.ID, key.AccessKey, key.SecretKey))
	if err == nil && outcome.IsDone() {
		user.Keys = append(user.Keys, key)
	}
	return outcome, err
}

// asOwner speaks S3 as the owner of the bucket.
func (p *pass) asOwner() S3 { return p.as(p.owner) }

func (p *pass) as(user *admin.User) S3 {
	return p.gateway.As(user.Keys[0].AccessKey, user.Keys[0].SecretKey)
}

// makeBucket makes the bucket as the user that is the claim's own, whoever shall own
// it: that tells it from a bucket that the owner has made.
func (p *pass) makeBucket(ctx context.Context) (step.Outcome, error) {
	if p.bucket != nil {
		return step.Done, nil
	}
	maker, outcome, err := p.maker(ctx)
	if err != nil || !outcome.IsDone() {
		return outcome, err
	}
	_, err = p.as(maker).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &p.want.bucket})
	if errors.Is(err, ops.ErrExists) && ops.Code(err) != "BucketAlreadyOwnedByYou" {
		return p.taken(), nil
	}
	if err != nil && !errors.Is(err, ops.ErrExists) {
		return p.heard(fmt.Errorf("create bucket %s: %w", p.want.bucket, err))
	}
	if outcome, err := p.readBucket(ctx, p.want.bucket); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if p.bucket == nil || p.bucket.Owner != maker.ID {
		return step.Retry(gatewayRetry, api.ReasonWaiting, "The bucket went meanwhile"), nil
	}
	return step.Done, nil
}

// maker is the user that makes the bucket, with a key.
func (p *pass) maker(ctx context.Context) (*admin.User, step.Outcome, error) {
	if p.want.owned() {
		return p.user, step.Done, nil
	}
	maker, outcome, err := p.readUser(ctx, p.want.own)
	if err != nil || !outcome.IsDone() {
		return nil, outcome, err
	}
	if maker == nil {
		return p.newUser(ctx)
	}
	if len(maker.Keys) == 0 {
		outcome, err = p.addKey(ctx, maker)
	}
	return maker, outcome, err
}

// move gives the bucket to the owner that the claim names now, and removes the user
// that was made for the claim once it owns nothing any more.
func (p *pass) move(ctx context.Context) (step.Outcome, error) {
	if p.want.granted {
		return step.Done, nil
	}
	if p.bucket.Owner != p.want.user {
		if outcome, err := p.note(ctx); err != nil || !outcome.IsDone() { // by its marker
			return outcome, err
		}
		if outcome, err := p.heard(p.gateway.LinkBucket(ctx, p.want.bucket, p.bucket.ID, p.want.user)); err != nil || !outcome.IsDone() {
			return outcome, err
		}
		p.bucket.Owner = p.want.user
	}
	if p.want.owned() || p.recorded(objectbucket.StateUser) != p.want.own {
		return step.Done, nil
	}
	err := p.gateway.RemoveUser(ctx, p.want.own)
	if errors.Is(err, ops.ErrNotFound) {
		err = nil
	}
	return p.heard(err)
}

// limit sets the quotas that differ.
func (p *pass) limit(ctx context.Context) (step.Outcome, error) {
	want := p.want.settings
	if p.want.owned() && ops.QuotaOf(p.user.UserQuota) != want.User {
		if outcome, err := p.heard(p.gateway.SetUserQuota(ctx, p.want.user, want.User)); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	if p.want.granted || ops.QuotaOf(p.bucket.BucketQuota) == want.Bucket {
		return step.Done, nil
	}
	return p.heard(p.gateway.SetBucketQuota(ctx, p.want.user, p.want.bucket, want.Bucket))
}

// policy reads that of the bucket; empty when there is none.
func (p *pass) policy(ctx context.Context) (string, error) {
	reply, err := p.asOwner().GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &p.bucket.Bucket})
	if errors.Is(err, ops.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read policy of bucket %s: %w", p.bucket.Bucket, err)
	}
	return ptr.Deref(reply.Policy, ""), nil
}

// putPolicy replaces that of the bucket; an empty one is none.
func (p *pass) putPolicy(ctx context.Context, text string) (step.Outcome, error) {
	var err error
	if text == "" {
		_, err = p.asOwner().DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &p.bucket.Bucket})
		if errors.Is(err, ops.ErrNotFound) {
			return step.Done, nil
		}
	} else {
		_, err = p.asOwner().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &p.bucket.Bucket, Policy: &text})
	}
	if errors.Is(err, ops.ErrInvalid) {
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf("The store refuses `%s`: %s", bucket.Policy, ops.Code(err))), nil
	}
	if err != nil {
		return p.heard(fmt.Errorf("write policy of bucket %s: %w", p.bucket.Bucket, err))
	}
	return step.Done, nil
}

// setPolicy writes the claim's policy, takes it back, or adds the statement that
// shares somebody else's bucket.
func (p *pass) setPolicy(ctx context.Context) (step.Outcome, error) {
	if p.want.granted {
		return p.share(ctx, func(live string) (string, error) { return bucket.Grant(live, p.want.user, p.want.bucket) })
	}
	want := p.want.settings.Policy
	if want == "" && !slices.Contains(p.set(), bucket.Policy) {
		return step.Done, nil
	}
	live, err := p.policy(ctx)
	if err != nil {
		return p.heard(err)
	}
	if bucket.SameJSON(live, want) {
		return step.Done, nil
	}
	return p.putPolicy(ctx, want)
}

func (p *pass) setLifecycle(ctx context.Context) (step.Outcome, error) {
	want := p.want.settings.Lifecycle
	if want == nil {
		if !slices.Contains(p.set(), bucket.Lifecycle) {
			return step.Done, nil
		}
		_, err := p.asOwner().DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: &p.want.bucket})
		if err != nil && !errors.Is(err, ops.ErrNotFound) {
			return p.heard(fmt.Errorf("remove lifecycle of bucket %s: %w", p.want.bucket, err))
		}
		return step.Done, nil
	}
	live, err := p.asOwner().GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &p.want.bucket})
	switch {
	case err != nil && !errors.Is(err, ops.ErrNotFound):
		return p.heard(fmt.Errorf("read lifecycle of bucket %s: %w", p.want.bucket, err))
	case err == nil && bucket.SameLifecycle(live.Rules, want.Rules):
		return step.Done, nil
	}
	_, err = p.asOwner().PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &p.want.bucket, LifecycleConfiguration: want})
	if errors.Is(err, ops.ErrInvalid) {
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf("The store refuses `%s`: %s", bucket.Lifecycle, ops.Code(err))), nil
	}
	if err != nil {
		return p.heard(fmt.Errorf("write lifecycle of bucket %s: %w", p.want.bucket, err))
	}
	return step.Done, nil
}

// publish writes the keys and the address next to the claim. A key that is published
// already stays as long as the user has it.
func (p *pass) publish(ctx context.Context) (step.Outcome, error) {
	key := p.user.Keys[0]
	if p.secret != nil {
		published := string(p.secret.Data[keyAccess])
		if at := slices.IndexFunc(p.user.Keys, func(k admin.UserKeySpec) bool { return k.AccessKey == published }); at >= 0 {
			key = p.user.Keys[at]
		}
	}
	if err := p.besides().Set(ctx, p.claim, p.configOf(), p.secretOf(key.AccessKey, key.SecretKey)); err != nil {
		return step.None, err
	}
	return step.Done, p.recordPhase(ctx, objectbucket.ObjectBucketBound)
}

func (p *pass) recordPhase(ctx context.Context, phase objectbucket.ObjectBucketPhase) error {
	return p.besides().Status(ctx, p.record, objectbucket.ObjectBucketStatus{Phase: phase})
}
