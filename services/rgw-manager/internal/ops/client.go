package ops

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ceph/go-ceph/rgw/admin"
	"k8s.io/utils/clock"

	"github.com/rook-ceph/rook-ceph/shared/names"
)

// connectRetry is how often a silent store is tried.
const connectRetry = 2 * time.Second

// Client speaks to the gateways of one store as its administrator. It is made by
// a Pool, and safe for concurrent use.
type Client struct {
	endpoint string
	api      *admin.API
	http     *http.Client
	clock    clock.PassiveClock
	// failed is told of every error.
	failed func(error)
}

// Unlimited is the value of a limit that does not limit.
const Unlimited = -1

// Quota limits what is kept. Both limits are inclusive, and 0 lets nothing be kept.
type Quota struct {
	MaxSize    int64
	MaxObjects int64
}

// NoQuota limits nothing.
var NoQuota = Quota{Unlimited, Unlimited}

// Enabled tells whether anything is limited.
func (q Quota) Enabled() bool { return q.MaxSize >= 0 || q.MaxObjects >= 0 }

// spec words the quota for the API.
func (q Quota) spec(uid, bucket string) admin.QuotaSpec {
	on := q.Enabled()
	return admin.QuotaSpec{UID: uid, Bucket: bucket, Enabled: &on, MaxSize: &q.MaxSize, MaxObjects: &q.MaxObjects}
}

// QuotaOf reads a quota as the API reports it. One that is switched off limits
// nothing.
func QuotaOf(spec admin.QuotaSpec) Quota {
	q := NoQuota
	if spec.Enabled == nil || !*spec.Enabled {
		return q
	}
	if spec.MaxSize != nil && *spec.MaxSize >= 0 {
		q.MaxSize = *spec.MaxSize
	}
	if spec.MaxObjects != nil && *spec.MaxObjects >= 0 {
		q.MaxObjects = *spec.MaxObjects
	}
	return q
}

// Ping asks for something that every gateway answers when it can read the
// store's metadata and accepts our keys.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.api.GetUser(ctx, admin.User{ID: names.AdminOpsUser})
	return told("ping", err)
}

// User reads a user with its keys, caps and quotas.
func (c *Client) User(ctx context.Context, uid string) (admin.User, error) {
	user, err := c.api.GetUser(ctx, admin.User{ID: uid})
	return user, told("read user "+uid, err)
}

// UserWithKey reads the user that has an access key.
func (c *Client) UserWithKey(ctx context.Context, access string) (admin.User, error) {
	user, err := c.api.GetUser(ctx, admin.User{Keys: []admin.UserKeySpec{{AccessKey: access}}})
	return user, told("find user of a key", err)
}

// CreateUser makes a user with the first of the given keys, or with one that the
// gateway draws. A user that exists is ErrExists when it differs.
func (c *Client) CreateUser(ctx context.Context, user admin.User) (admin.User, error) {
	made, err := c.api.CreateUser(ctx, user)
	return made, told("create user "+user.ID, err)
}

// ModifyUser changes what is set of display name, bucket limit, operations and
// default placement. What is empty stays.
func (c *Client) ModifyUser(ctx context.Context, user admin.User) (admin.User, error) {
	now, err := c.api.ModifyUser(ctx, user)
	return now, told("change user "+user.ID, err)
}

// Place says in which placement the buckets of a user are made, and in which class its
// objects are kept. The zone has to have both, or it is ErrInvalid. Without a class it
// is the one that every placement has.
func (c *Client) Place(ctx context.Context, uid, placement, class string) error {
	now, err := c.ModifyUser(ctx, admin.User{ID: uid, DefaultPlacement: placement, DefaultStorageClass: class})
	if err == nil && !SameClass(now.DefaultStorageClass, class) {
		// Gateways of reef take the class as a part of the placement, which later ones refuse.
		_, err = c.ModifyUser(ctx, admin.User{ID: uid, DefaultPlacement: placement + "/" + class})
	}
	return err
}

// SameClass compares storage classes, of which one has two names.
func SameClass(a, b string) bool {
	const standard = "STANDARD"
	return cmp.Or(a, standard) == cmp.Or(b, standard)
}

// RemoveUser removes a user that owns no bucket. One that does is refused with
// ErrExists or ErrNotEmpty.
func (c *Client) RemoveUser(ctx context.Context, uid string) error {
	return told("remove user "+uid, c.api.RemoveUser(ctx, admin.User{ID: uid}))
}

// AddKey gives a user another key, or a key that it has another secret. A key of
// another user is ErrExists.
func (c *Client) AddKey(ctx context.Context, uid, access, secret string) error {
	no := false
	_, err := c.api.CreateKey(ctx, admin.UserKeySpec{UID: uid, AccessKey: access, SecretKey: secret, GenerateKey: &no})
	return told("add key to user "+uid, err)
}

// RemoveKey takes a key from a user.
func (c *Client) RemoveKey(ctx context.Context, uid, access string) error {
	return told("remove key of user "+uid, c.api.RemoveKey(ctx, admin.UserKeySpec{UID: uid, AccessKey: access}))
}

// AddCaps gives a user rights on the administration.
func (c *Client) AddCaps(ctx context.Context, uid string, caps []admin.UserCapSpec) error {
	_, err := c.api.AddUserCap(ctx, uid, capsText(caps))
	return told("add caps to user "+uid, err)
}

// RemoveCaps takes rights on the administration from a user.
func (c *Client) RemoveCaps(ctx context.Context, uid string, caps []admin.UserCapSpec) error {
	_, err := c.api.RemoveUserCap(ctx, uid, capsText(caps))
	return told("remove caps of user "+uid, err)
}

// capsText words caps as the API wants them.
func capsText(caps []admin.UserCapSpec) string {
	words := make([]string, len(caps))
	for i, one := range caps {
		words[i] = one.Type + "=" + one.Perm
	}
	return strings.Join(words, ";")
}

// SetUserQuota limits what all buckets of a user hold together.
func (c *Client) SetUserQuota(ctx context.Context, uid string, quota Quota) error {
	return told("set quota of user "+uid, c.api.SetUserQuota(ctx, quota.spec(uid, "")))
}

// SetUserBucketQuota limits what each bucket of a user holds that has no quota of
// its own.
func (c *Client) SetUserBucketQuota(ctx context.Context, uid string, quota Quota) error {
	return told("set bucket quota of user "+uid, c.api.SetBucketQuota(ctx, quota.spec(uid, "")))
}

// SetBucketQuota limits what one bucket holds; uid is its owner.
func (c *Client) SetBucketQuota(ctx context.Context, uid, bucket string, quota Quota) error {
	return told("set quota of bucket "+bucket, c.api.SetIndividualBucketQuota(ctx, quota.spec(uid, bucket)))
}

// Buckets names all buckets of the store.
func (c *Client) Buckets(ctx context.Context) ([]string, error) {
	all, err := c.api.ListBuckets(ctx)
	return all, told("list buckets", err)
}

// UserBuckets names the buckets that a user owns.
func (c *Client) UserBuckets(ctx context.Context, uid string) ([]string, error) {
	all, err := c.api.ListUsersBuckets(ctx, uid)
	return all, told("list buckets of user "+uid, err)
}

// Bucket reads a bucket with its owner, usage and quota.
func (c *Client) Bucket(ctx context.Context, name string) (admin.Bucket, error) {
	bucket, err := c.api.GetBucketInfo(ctx, admin.Bucket{Bucket: name})
	return bucket, told("read bucket "+name, err)
}

// LinkBucket gives a bucket to another user. id guards against a bucket of the
// same name that has been made since; it may be empty.
func (c *Client) LinkBucket(ctx context.Context, bucket, id, uid string) error {
	return told("link bucket "+bucket, c.api.LinkBucket(ctx, admin.BucketLinkInput{Bucket: bucket, BucketID: id, UID: uid}))
}

// RemoveEmptyBucket removes a bucket; one that holds objects is ErrNotEmpty.
func (c *Client) RemoveEmptyBucket(ctx context.Context, name string) error {
	keep := false
	return told("remove bucket "+name, c.api.RemoveBucket(ctx, admin.Bucket{Bucket: name, PurgeObject: &keep}))
}
