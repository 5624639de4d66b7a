package claim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/ceph/go-ceph/rgw/admin"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/claim"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// gates is one store with users and buckets. Its answers are those that a real gateway
// gives in the integration tests.
type gates struct {
	users   map[string]*admin.User
	buckets map[string]*stored
	drawn   int
	// calls counts requests, changes those that change something.
	calls, changes int
	// failAt is the change that fails; after lets it happen before. fault is how.
	failAt int
	after  bool
	fault  error
	// silent gates do not answer.
	silent bool
	// slow gates do not answer in time when they are to delete more than so many.
	slow int
	// took is told of each change.
	took func()
	// locked objects cannot be deleted.
	locked bool
}

type stored struct {
	owner, policy string
	marker        string
	quota         ops.Quota
	lifecycle     *types.BucketLifecycleConfiguration
	objects       map[string]bool
	uploads       map[string]bool
}

func newGates() *gates { return &gates{users: map[string]*admin.User{}, buckets: map[string]*stored{}} }

// Gateway implements claim.Gateways.
func (g *gates) Gateway(context.Context, *api.CephObjectStore) (claim.Gateway, step.Outcome, error) {
	return g, step.Done, nil
}

func refuse(kind error, code string) error { return &ops.Error{Kind: kind, Code: code} }

func (g *gates) read() error {
	g.calls++
	if g.silent {
		return refuse(ops.ErrUnreachable, "NoAnswer")
	}
	return nil
}

// change does something, or fails as the test wants.
func (g *gates) change(do func() error) error {
	if err := g.read(); err != nil {
		return err
	}
	g.changes++
	if g.took != nil {
		g.took()
	}
	if g.failAt == 0 || g.changes != g.failAt {
		return do()
	}
	if g.after {
		_ = do()
	}
	return g.fault
}

func (g *gates) User(_ context.Context, uid string) (admin.User, error) {
	if err := g.read(); err != nil {
		return admin.User{}, err
	}
	if g.users[uid] == nil {
		return admin.User{}, refuse(ops.ErrNotFound, "NoSuchUser")
	}
	found := *g.users[uid]
	found.Keys = slices.Clone(found.Keys)
	return found, nil
}

func (g *gates) newUser(uid string) *admin.User {
	g.drawn++
	g.users[uid] = &admin.User{ID: uid, Keys: []admin.UserKeySpec{{User: uid, AccessKey: fmt.Sprintf("A%d", g.drawn), SecretKey: fmt.Sprintf("S%d", g.drawn)}}}
	return g.users[uid]
}

func (g *gates) CreateUser(_ context.Context, user admin.User) (made admin.User, err error) {
	err = g.change(func() error {
		if g.users[user.ID] != nil {
			return refuse(ops.ErrExists, "UserAlreadyExists")
		}
		made = *g.newUser(user.ID)
		g.users[user.ID].MaxBuckets = user.MaxBuckets
		return nil
	})
	return made, err
}

func (g *gates) RemoveUser(_ context.Context, uid string) error {
	return g.change(func() error {
		if g.users[uid] == nil {
			return refuse(ops.ErrNotFound, "NoSuchUser")
		}
		for _, b := range g.buckets {
			if b.owner == uid {
				return refuse(ops.ErrExists, "BucketAlreadyExists")
			}
		}
		delete(g.users, uid)
		return nil
	})
}

func (g *gates) AddKey(_ context.Context, uid, access, secret string) error {
	return g.change(func() error {
		g.users[uid].Keys = append(g.users[uid].Keys, admin.UserKeySpec{User: uid, AccessKey: access, SecretKey: secret})
		return nil
	})
}

func (g *gates) RemoveKey(_ context.Context, uid, access string) error {
	return g.change(func() error {
		before := len(g.users[uid].Keys)
		g.users[uid].Keys = slices.DeleteFunc(g.users[uid].Keys, func(k admin.UserKeySpec) bool { return k.AccessKey == access })
		if len(g.users[uid].Keys) == before {
			return refuse(ops.ErrDenied, "InvalidAccessKeyId")
		}
		return nil
	})
}

func spec(q ops.Quota) admin.QuotaSpec {
	return admin.QuotaSpec{Enabled: ptr.To(q.Enabled()), MaxSize: &q.MaxSize, MaxObjects: &q.MaxObjects}
}

func (g *gates) SetUserQuota(_ context.Context, uid string, quota ops.Quota) error {
	return g.change(func() error { g.users[uid].UserQuota = spec(quota); return nil })
}

func (g *gates) SetBucketQuota(_ context.Context, uid, name string, quota ops.Quota) error {
	return g.change(func() error {
		if g.buckets[name].owner != uid {
			return refuse(ops.ErrDenied, "AccessDenied")
		}
		g.buckets[name].quota = quota
		return nil
	})
}

func (g *gates) Bucket(_ context.Context, name string) (admin.Bucket, error) {
	if err := g.read(); err != nil {
		return admin.Bucket{}, err
	}
	b := g.buckets[name]
	if b == nil {
		return admin.Bucket{}, refuse(ops.ErrNotFound, "NoSuchBucket")
	}
	found := admin.Bucket{Bucket: name, ID: b.marker, Marker: b.marker, Owner: b.owner, BucketQuota: spec(b.quota)}
	found.Usage.RgwMain.NumObjects = ptr.To(uint64(len(b.objects)))
	return found, nil
}

func (g *gates) LinkBucket(_ context.Context, name, _, uid string) error {
	return g.change(func() error { g.buckets[name].owner = uid; return nil })
}

func (g *gates) RemoveEmptyBucket(_ context.Context, name string) error {
	return g.change(func() error {
		if len(g.buckets[name].objects) > 0 {
			return refuse(ops.ErrNotEmpty, "BucketNotEmpty")
		}
		delete(g.buckets, name)
		return nil
	})
}

// As speaks S3 as the user with the keys.
func (g *gates) As(access, secret string) claim.S3 {
	for uid, user := range g.users {
		for _, key := range user.Keys {
			if key.AccessKey == access && key.SecretKey == secret {
				return &speaker{g, uid}
			}
		}
	}
	return &speaker{g, ""}
}

// makeBucket is what a person does.
func (g *gates) makeBucket(name, owner string) *stored {
	g.drawn++
	g.buckets[name] = &stored{marker: fmt.Sprintf("zone.%d", g.drawn), owner: owner, quota: ops.NoQuota, objects: map[string]bool{}, uploads: map[string]bool{}}
	return g.buckets[name]
}

// speaker is somebody who speaks S3.
type speaker struct {
	*gates
	uid string
}

// own returns a bucket of the speaker.
func (s *speaker) own(name *string) (*stored, error) {
	b := s.buckets[*name]
	switch {
	case s.uid == "":
		return nil, refuse(ops.ErrDenied, "InvalidAccessKeyId")
	case b == nil:
		return nil, refuse(ops.ErrNotFound, "NoSuchBucket")
	case b.owner != s.uid:
		return nil, refuse(ops.ErrDenied, "AccessDenied")
	}
	return b, nil
}

func (s *speaker) with(name *string, do func(*stored)) error {
	return s.change(func() error {
		b, err := s.own(name)
		if err == nil {
			do(b)
		}
		return err
	})
}

func (s *speaker) look(name *string) (*stored, error) {
	if err := s.read(); err != nil {
		return nil, err
	}
	return s.own(name)
}

func (s *speaker) CreateBucket(_ context.Context, in *s3.CreateBucketInput, _ ...func(*s3.Options)) (*s3.CreateBucketOutput, error) {
	return &s3.CreateBucketOutput{}, s.change(func() error {
		if b := s.buckets[*in.Bucket]; b != nil && b.owner != s.uid {
			return refuse(ops.ErrExists, "BucketAlreadyExists")
		} else if b == nil {
			s.makeBucket(*in.Bucket, s.uid)
		}
		return nil
	})
}

func (s *speaker) GetBucketPolicy(_ context.Context, in *s3.GetBucketPolicyInput, _ ...func(*s3.Options)) (*s3.GetBucketPolicyOutput, error) {
	b, err := s.look(in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.policy == "" {
		return nil, refuse(ops.ErrNotFound, "NoSuchBucketPolicy")
	}
	return &s3.GetBucketPolicyOutput{Policy: &b.policy}, nil
}

func (s *speaker) PutBucketPolicy(_ context.Context, in *s3.PutBucketPolicyInput, _ ...func(*s3.Options)) (*s3.PutBucketPolicyOutput, error) {
	if strings.Contains(*in.Policy, "nobody-knows") {
		return nil, refuse(ops.ErrInvalid, "MalformedPolicy")
	}
	return &s3.PutBucketPolicyOutput{}, s.with(in.Bucket, func(b *stored) { b.policy = *in.Policy })
}

func (s *speaker) DeleteBucketPolicy(_ context.Context, in *s3.DeleteBucketPolicyInput, _ ...func(*s3.Options)) (*s3.DeleteBucketPolicyOutput, error) {
	return &s3.DeleteBucketPolicyOutput{}, s.with(in.Bucket, func(b *stored) { b.policy = "" })
}

func (s *speaker) GetBucketLifecycleConfiguration(_ context.Context, in *s3.GetBucketLifecycleConfigurationInput, _ ...func(*s3.Options)) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	b, err := s.look(in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.lifecycle == nil {
		return nil, refuse(ops.ErrNotFound, "NoSuchLifecycleConfiguration")
	}
	return &s3.GetBucketLifecycleConfigurationOutput{Rules: b.lifecycle.Rules}, nil
}

func (s *speaker) PutBucketLifecycleConfiguration(_ context.Context, in *s3.PutBucketLifecycleConfigurationInput, _ ...func(*s3.Options)) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	return &s3.PutBucketLifecycleConfigurationOutput{}, s.with(in.Bucket, func(b *stored) { b.lifecycle = in.LifecycleConfiguration })
}

func (s *speaker) DeleteBucketLifecycle(_ context.Context, in *s3.DeleteBucketLifecycleInput, _ ...func(*s3.Options)) (*s3.DeleteBucketLifecycleOutput, error) {
	return &s3.DeleteBucketLifecycleOutput{}, s.with(in.Bucket, func(b *stored) { b.lifecycle = nil })
}

func (s *speaker) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	b, err := s.look(in.Bucket)
	if err != nil {
		return nil, err
	}
	all := slices.Collect(maps.Keys(b.objects))
	sort.Strings(all)
	reply := &s3.ListObjectVersionsOutput{}
	for _, name := range all {
		if name <= aws.ToString(in.KeyMarker) {
			continue
		}
		if len(reply.Versions) == int(*in.MaxKeys) {
			reply.IsTruncated = aws.Bool(true)
			break
		}
		reply.Versions = append(reply.Versions, types.ObjectVersion{Key: aws.String(name), VersionId: aws.String("null")})
		reply.NextKeyMarker, reply.NextVersionIdMarker = aws.String(name), aws.String("null")
	}
	return reply, nil
}

func (s *speaker) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput, _ ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	reply := &s3.DeleteObjectsOutput{}
	if s.slow > 0 && len(in.Delete.Objects) > s.slow {
		return nil, refuse(ops.ErrUnreachable, "NoAnswer")
	}
	return reply, s.with(in.Bucket, func(b *stored) {
		for _, one := range in.Delete.Objects {
			if s.locked {
				reply.Errors = append(reply.Errors, types.Error{Key: one.Key, Code: aws.String("AccessDenied")})
				continue
			}
			delete(b.objects, *one.Key)
		}
	})
}

func (s *speaker) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	return &s3.DeleteObjectOutput{}, s.with(in.Bucket, func(b *stored) { delete(b.objects, *in.Key) })
}

func (s *speaker) ListMultipartUploads(_ context.Context, in *s3.ListMultipartUploadsInput, _ ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error) {
	b, err := s.look(in.Bucket)
	if err != nil {
		return nil, err
	}
	reply := &s3.ListMultipartUploadsOutput{}
	for name := range b.uploads {
		reply.Uploads = append(reply.Uploads, types.MultipartUpload{Key: aws.String(name), UploadId: aws.String("1")})
	}
	return reply, nil
}

func (s *speaker) AbortMultipartUpload(_ context.Context, in *s3.AbortMultipartUploadInput, _ ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
	return &s3.AbortMultipartUploadOutput{}, s.with(in.Bucket, func(b *stored) { delete(b.uploads, *in.Key) })
}

var errCrash = errors.New("crash")
