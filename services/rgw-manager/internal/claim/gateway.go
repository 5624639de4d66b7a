package claim

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/ceph/go-ceph/rgw/admin"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/purge"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Gateways finds the gateways of a store.
type Gateways interface {
	// Gateway returns what speaks to a store, or the outcome that says what is
	// missing for it. It sends no request.
	Gateway(context.Context, *api.CephObjectStore) (Gateway, step.Outcome, error)
}

// Gateway is what is asked of a store as its administrator; see ops.Client.
type Gateway interface {
	User(ctx context.Context, uid string) (admin.User, error)
	CreateUser(ctx context.Context, user admin.User) (admin.User, error)
	RemoveUser(ctx context.Context, uid string) error
	AddKey(ctx context.Context, uid, access, secret string) error
	RemoveKey(ctx context.Context, uid, access string) error
	SetUserQuota(ctx context.Context, uid string, quota ops.Quota) error
	SetBucketQuota(ctx context.Context, uid, bucket string, quota ops.Quota) error
	Bucket(ctx context.Context, name string) (admin.Bucket, error)
	LinkBucket(ctx context.Context, bucket, id, uid string) error
	RemoveEmptyBucket(ctx context.Context, name string) error
	// As speaks S3 with somebody's keys.
	As(access, secret string) S3
}

// S3 is what is asked of a store as the owner of a bucket.
type S3 interface {
	purge.S3
	CreateBucket(context.Context, *s3.CreateBucketInput, ...func(*s3.Options)) (*s3.CreateBucketOutput, error)
	GetBucketPolicy(context.Context, *s3.GetBucketPolicyInput, ...func(*s3.Options)) (*s3.GetBucketPolicyOutput, error)
	PutBucketPolicy(context.Context, *s3.PutBucketPolicyInput, ...func(*s3.Options)) (*s3.PutBucketPolicyOutput, error)
	DeleteBucketPolicy(context.Context, *s3.DeleteBucketPolicyInput, ...func(*s3.Options)) (*s3.DeleteBucketPolicyOutput, error)
	PutBucketLifecycleConfiguration(context.Context, *s3.PutBucketLifecycleConfigurationInput, ...func(*s3.Options)) (*s3.PutBucketLifecycleConfigurationOutput, error)
	GetBucketLifecycleConfiguration(context.Context, *s3.GetBucketLifecycleConfigurationInput, ...func(*s3.Options)) (*s3.GetBucketLifecycleConfigurationOutput, error)
	DeleteBucketLifecycle(context.Context, *s3.DeleteBucketLifecycleInput, ...func(*s3.Options)) (*s3.DeleteBucketLifecycleOutput, error)
}

// Clients finds gateways through the clients of ops.
type Clients struct{ Pool *ops.Pool }

// Gateway implements Gateways.
func (c Clients) Gateway(ctx context.Context, store *api.CephObjectStore) (Gateway, step.Outcome, error) {
	found, outcome, err := c.Pool.Client(ctx, store)
	if err != nil || !outcome.IsDone() {
		return nil, outcome, err
	}
	return through{found}, outcome, nil
}

type through struct{ *ops.Client }

// As returns the client of S3 as what is asked of it.
func (t through) As(access, secret string) S3 { return t.Client.As(access, secret) }

const (
	// gatewayRetry is how often a silent gateway is tried.
	gatewayRetry = 2 * time.Second
	// refusedRetry is how often a gateway is asked again for what it refused, and
	// anything is looked at that nobody tells us of.
	refusedRetry = 30 * time.Second
)

// heard words the answers of a gateway that are no surprise. It passes on any other
// error, and nil is Done.
func (p *pass) heard(err error) (step.Outcome, error) {
	return ops.Outcome(err, p.at.Name)
}
