//go:build librados && integration

package integration_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/ceph/go-ceph/rgw/admin"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwtest"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// speaker is somebody who says the same to the fake and to a real gateway, and
// writes down what comes back.
type speaker struct {
	ctx   context.Context
	c     *ops.Client
	lines []string
}

// connect makes a client whose requests all go to one address.
func connect(t *testing.T, address string) *ops.Client {
	t.Helper()
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-store", UID: "s1"}}
	store.Spec.Gateway.Port = 80
	keys := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: names.RGWAdminOps(store.Name)},
		Data: map[string][]byte{names.AdminOpsAccessKey: []byte(rgwtest.AdminAccess), names.AdminOpsSecretKey: []byte(rgwtest.AdminSecret)}}
	pool := &ops.Pool{Reader: testenv.Fake(t, keys).Build(), Transport: func(*tls.Config) http.RoundTripper {
		return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
	}}
	c, outcome, err := pool.Client(t.Context(), store)
	if err != nil || !outcome.IsDone() {
		t.Fatalf("no client: %+v %v", outcome, err)
	}
	return c
}

func (s *speaker) note(what string, found any, err error) {
	line := what + ": "
	switch {
	case err != nil && ops.Code(err) == "":
		line += "error " + err.Error()
	case errors.Is(err, ops.ErrDenied) && !errors.Is(err, ops.ErrQuota) && strings.HasPrefix(ops.Code(err), "HTTP"):
		line += "AccessDenied" // reef often says so without a body
	case err != nil:
		line += ops.Code(err)
	case found != nil:
		body, _ := json.Marshal(found)
		line += string(body)
	default:
		line += "ok"
	}
	s.lines = append(s.lines, line)
}

// seen is what of a user does not differ from one gateway to another.
func seen(u admin.User) any {
	var keys, caps []string
	for _, k := range u.Keys {
		keys = append(keys, k.AccessKey+"="+k.SecretKey)
	}
	for _, one := range u.Caps {
		caps = append(caps, one.Type+"="+one.Perm)
	}
	slices.Sort(keys)
	return map[string]any{"id": u.ID, "name": u.DisplayName, "keys": keys, "caps": caps, "buckets": u.MaxBuckets, "ops": u.OpMask,
		"quota": ops.QuotaOf(u.UserQuota), "quotaOn": u.UserQuota.Enabled, "each": ops.QuotaOf(u.BucketQuota), "suspended": u.Suspended,
		"placement": u.DefaultPlacement, "class": strings.TrimPrefix(u.DefaultStorageClass, "STANDARD")} // which is that of no class, and said or not
}

func (s *speaker) user(what, uid string) {
	u, err := s.c.User(s.ctx, uid)
	if err != nil {
		s.note(what, nil, err)
		return
	}
	s.note(what, seen(u), nil)
}

func (s *speaker) create(what string, u admin.User) {
	made, err := s.c.CreateUser(s.ctx, u)
	if err != nil {
		s.note(what, nil, err)
		return
	}
	s.note(what, seen(made), nil)
}

func (s *speaker) modify(what string, u admin.User) {
	now, err := s.c.ModifyUser(s.ctx, u)
	if err != nil {
		s.note(what, nil, err)
		return
	}
	s.note(what, seen(now), nil)
}

func someone(uid, access, secret string) admin.User {
	no, limit := false, 0
	return admin.User{ID: uid, DisplayName: "Some " + uid, MaxBuckets: &limit, GenerateKey: &no,
		Keys: []admin.UserKeySpec{{AccessKey: access, SecretKey: secret}}}
}

// users asks for all that is done to users.
func (s *speaker) users() {
	ctx, c := s.ctx, s.c
	s.note("ping", nil, c.Ping(ctx))
	s.user("a user that is not there", "anna")
	s.create("a new user", someone("anna", "KA", "sa"))
	s.create("the same user again", someone("anna", "KA", "sa"))
	s.create("a user that is there, with another key", someone("anna", "KA9", "sa9"))
	other := someone("anna", "KA", "sa")
	other.DisplayName = "Another Anna"
	s.create("a user that is there, with another name", other)
	other.Keys = nil
	s.create("a user that is there, without keys", other)
	s.create("a user with the key of another", someone("bert", "KA", "sb"))
	s.create("a second user", someone("bert", "KB", "sb"))
	masked := someone("carl", "KC", "sc")
	masked.OpMask, masked.UserCaps = ",", "usage=read;users=read, write"
	s.create("a user that may do nothing", masked)
	masked.ID, masked.Keys, masked.UserCaps = "dora", []admin.UserKeySpec{{AccessKey: "KD", SecretKey: "sd"}}, "flying=*"
	s.create("a user with a cap that does not exist", masked)
	s.user("it was not made", "dora")
	for letter := ' '; letter <= '~'; letter++ {
		if strings.ContainsRune("+%", letter) { // tentacle takes them for the signs of a URL, twice
			continue
		}
		if letter < '0' || letter > 'z' || letter > '9' && letter < 'A' || letter > 'Z' && letter < 'a' {
			s.note("a key with "+string(letter), nil, c.AddKey(ctx, "carl", "KC"+string(letter)+"41", "sc"+string(letter)+"41"))
		}
	}
	s.user("with odd keys", "carl")
	s.note("no user", nil, c.RemoveUser(ctx, "carl"))
	found, err := c.UserWithKey(ctx, "KB")
	s.note("whose key", found.ID, err)
	_, err = c.UserWithKey(ctx, "KX")
	s.note("nobody's key", nil, err)

	s.note("another key", nil, c.AddKey(ctx, "anna", "KA2", "sa2"))
	s.note("the same key again", nil, c.AddKey(ctx, "anna", "KA2", "sa2"))
	s.note("another secret of a key", nil, c.AddKey(ctx, "anna", "KA2", "sa3"))
	s.note("a key of another user", nil, c.AddKey(ctx, "anna", "KB", "sb"))
	s.note("a key for nobody", nil, c.AddKey(ctx, "nobody", "KN", "sn"))
	s.user("with two keys", "anna")
	s.note("no such key", nil, c.RemoveKey(ctx, "anna", "KX"))
	s.note("the key of another user", nil, c.RemoveKey(ctx, "anna", "KB"))
	s.note("one key less", nil, c.RemoveKey(ctx, "anna", "KA"))
	s.note("one key less again", nil, c.RemoveKey(ctx, "anna", "KA"))
	s.user("with one key", "anna")

	s.note("caps", nil, c.AddCaps(ctx, "anna", []admin.UserCapSpec{{Type: "users", Perm: "read"}, {Type: "buckets", Perm: "*"}}))
	s.note("more of a cap", nil, c.AddCaps(ctx, "anna", []admin.UserCapSpec{{Type: "users", Perm: "write"}}))
	s.user("with caps", "anna")
	s.note("less of a cap", nil, c.RemoveCaps(ctx, "anna", []admin.UserCapSpec{{Type: "buckets", Perm: "write"}}))
	s.note("a cap that is not there", nil, c.RemoveCaps(ctx, "anna", []admin.UserCapSpec{{Type: "usage", Perm: "*"}}))
	s.note("a cap that does not exist", nil, c.AddCaps(ctx, "anna", []admin.UserCapSpec{{Type: "flying", Perm: "*"}}))
	s.note("no cap", nil, c.RemoveCaps(ctx, "anna", []admin.UserCapSpec{{Type: "users", Perm: "*"}}))
	s.note("caps for nobody", nil, c.AddCaps(ctx, "nobody", []admin.UserCapSpec{{Type: "users", Perm: "*"}}))
	s.user("with fewer caps", "anna")
	for _, kind := range []string{"accounts", "amz-cache", "bilog", "datalog", "info", "mdlog", "metadata", "oidc-provider", "ratelimit", "roles",
		"usage", "user-info-without-keys", "user-policy", "zone"} {
		s.note("cap "+kind, nil, c.AddCaps(ctx, "bert", []admin.UserCapSpec{{Type: kind, Perm: "read"}}))
	}
	s.user("with all caps", "bert")

	none, five := -1, 5
	s.modify("another name", admin.User{ID: "anna", DisplayName: "Anna"})
	s.modify("no buckets", admin.User{ID: "anna", MaxBuckets: &none})
	s.modify("five buckets", admin.User{ID: "anna", MaxBuckets: &five})
	s.modify("read only", admin.User{ID: "anna", OpMask: "read"})
	s.modify("no operation at all", admin.User{ID: "anna", OpMask: ","})
	s.modify("an operation that does not exist", admin.User{ID: "anna", OpMask: "fly"})
	s.modify("all operations", admin.User{ID: "anna", OpMask: "*"})
	for _, one := range []struct{ placement, class string }{
		{"nowhere", ""}, {"cold", ""}, {"cold", "FIRE"}, {"cold", "ICE"}, {"cold/ICE", ""}, {"cold/FIRE", ""}, {"", "ICE"}, {"/ICE", ""}, {"cold/", ""},
		{"cold", "STANDARD"}, {"cold", "ICE"}, {"cold", ""}, {"default-placement", ""},
	} {
		s.modify("placement "+one.placement+" with class "+one.class, admin.User{ID: "anna", DefaultPlacement: one.placement, DefaultStorageClass: one.class})
		s.note("the same in both words", nil, c.Place(ctx, "anna", one.placement, one.class))
		s.user("it is now", "anna")
	}
	placed := someone("emil", "KE", "se")
	placed.DefaultPlacement, placed.DefaultStorageClass = "cold", "ICE"
	s.create("a user with a placement", placed)
	placed = someone("fritz", "KF", "sf")
	placed.DefaultPlacement = "nowhere"
	s.create("a user with a placement that does not exist", placed)
	s.user("it was not made either", "fritz")
	s.modify("nobody", admin.User{ID: "nobody", DisplayName: "N"})

	s.note("quota", nil, c.SetUserQuota(ctx, "anna", ops.Quota{MaxSize: 4096, MaxObjects: 2}))
	s.user("with a quota", "anna")
	s.note("quota of zero", nil, c.SetUserQuota(ctx, "anna", ops.Quota{}))
	s.user("with a quota of zero", "anna")
	s.note("odd quota", nil, c.SetUserQuota(ctx, "anna", ops.Quota{MaxSize: 5000, MaxObjects: ops.Unlimited}))
	s.user("with an odd quota", "anna")
	s.note("no quota", nil, c.SetUserQuota(ctx, "anna", ops.NoQuota))
	s.note("quota of each bucket", nil, c.SetUserBucketQuota(ctx, "anna", ops.Quota{MaxSize: ops.Unlimited, MaxObjects: 3}))
	s.user("without a quota", "anna")
	s.note("quota for nobody", nil, c.SetUserQuota(ctx, "nobody", ops.NoQuota))
}

// buckets asks for all that is done to buckets.
func (s *speaker) buckets() {
	ctx, c := s.ctx, s.c
	anna, bert, stranger := c.As("KA2", "sa3"), c.As("KB", "sb"), c.As("KX", "sx")
	make := func(what string, as *s3.Client, name string) {
		_, err := as.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
		s.note(what, nil, err)
	}
	put := func(what string, as *s3.Client, bucket, key, body string) {
		var err error
		for range 10 { // reef may refuse without a body, which says why
			_, err = as.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
			if !strings.HasPrefix(ops.Code(err), "HTTP") {
				break
			}
		}
		s.note(what, nil, err)
	}
	make("a bucket by a stranger", stranger, "bucket-one")
	make("a bucket with a wrong secret", c.As("KB", "no"), "bucket-one")
	make("a bucket", anna, "bucket-one")
	make("the same bucket again", anna, "bucket-one")
	make("a bucket of another user", bert, "bucket-one")
	make("a bucket with a bad name", bert, "b")
	buckets, err := c.UserBuckets(ctx, "anna")
	s.note("the buckets of a user", buckets, err)
	buckets, err = c.UserBuckets(ctx, "bert")
	s.note("the buckets of another", buckets, err)
	buckets, err = c.Buckets(ctx)
	slices.Sort(buckets)
	s.note("all buckets", buckets, err)
	bucket, err := c.Bucket(ctx, "bucket-one")
	s.note("a bucket's owner", bucket.Owner, err)
	_, err = c.Bucket(ctx, "none")
	s.note("no bucket", nil, err)
	s.note("a user with buckets", nil, c.RemoveUser(ctx, "anna"))

	put("an object", anna, "bucket-one", "a", "text")
	put("a denied object", bert, "bucket-one", "b", "text")
	put("an object in no bucket", bert, "none", "b", "text")
	s.note("a bucket with objects", nil, c.RemoveEmptyBucket(ctx, "bucket-one"))
	s.note("a quota of the bucket", nil, c.SetBucketQuota(ctx, "anna", "bucket-one", ops.Quota{MaxSize: ops.Unlimited, MaxObjects: 1}))
	s.note("a quota of no bucket", nil, c.SetBucketQuota(ctx, "anna", "none", ops.NoQuota))
	bucket, err = c.Bucket(ctx, "bucket-one")
	s.note("with a quota", ops.QuotaOf(bucket.BucketQuota), err)
	put("an object too many", anna, "bucket-one", "c", "text")
	s.note("all of it again", nil, c.SetBucketQuota(ctx, "anna", "bucket-one", ops.NoQuota))

	s.note("a bucket for another", nil, c.LinkBucket(ctx, "bucket-one", "", "bert"))
	bucket, err = c.Bucket(ctx, "bucket-one")
	s.note("now owned by", bucket.Owner, err)
	s.note("no bucket for another", nil, c.LinkBucket(ctx, "none", "", "bert"))
	s.note("a bucket for nobody", nil, c.LinkBucket(ctx, "bucket-one", "", "nobody"))
	s.note("back again", nil, c.LinkBucket(ctx, "bucket-one", "", "anna"))

	list, err := anna.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bucket-one")})
	var keys []string
	if err == nil {
		for _, o := range list.Contents {
			keys = append(keys, *o.Key)
		}
	}
	s.note("objects", keys, err)
	for range 10 { // reef may end the connection in the middle of its answer
		_, err = anna.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String("bucket-one"),
			Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("zzz")}}}})
		if !errors.Is(err, ops.ErrCutOff) {
			break
		}
	}
	s.note("objects deleted", nil, err)
	s.note("an empty bucket", nil, c.RemoveEmptyBucket(ctx, "bucket-one"))
	s.note("an empty bucket again", nil, c.RemoveEmptyBucket(ctx, "bucket-one"))
	s.note("a user without buckets", nil, c.RemoveUser(ctx, "anna"))
	s.note("nobody", nil, c.RemoveUser(ctx, "anna"))
	make("a bucket by a removed user", anna, "two")

	six := 1
	s.modify("one bucket", admin.User{ID: "bert", MaxBuckets: &six})
	make("the first", bert, "bucket-1")
	make("the second", bert, "bucket-2")
	_, err = bert.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("bucket-1")})
	s.note("deleted by its owner", nil, err)
	minus := -1
	s.modify("none", admin.User{ID: "bert", MaxBuckets: &minus})
	make("one that is not allowed", bert, "bucket-1")
	zero := 0
	s.modify("any", admin.User{ID: "bert", MaxBuckets: &zero})
	make("one that is allowed", bert, "bucket-1")
	s.modify("read only", admin.User{ID: "bert", OpMask: "read"})
	put("a write that is masked", bert, "bucket-1", "a", "text")
	s.modify("everything", admin.User{ID: "bert", OpMask: "read, write, delete"})
	s.note("a quota of zero", nil, c.SetUserQuota(ctx, "bert", ops.Quota{MaxSize: 0, MaxObjects: ops.Unlimited}))
	put("more than nothing", bert, "bucket-1", "a", "text")
	s.note("a quota of no object", nil, c.SetUserQuota(ctx, "bert", ops.Quota{MaxSize: ops.Unlimited}))
	put("one object", bert, "bucket-1", "a", "text")
}

// TestAGatewayIsAsItsFakeSays runs one script against both, on every release.
func TestAGatewayIsAsItsFakeSays(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			var options []rgwtest.Option
			if release == "reef" {
				options = append(options, rgwtest.Lacks("accounts", "user-info-without-keys", "default-storage-class"))
			}
			here := &speaker{ctx: t.Context(), c: connect(t, rgwtest.New(t, options...).Address())}
			there := &speaker{ctx: t.Context(), c: connect(t, realGateway(t, release))}
			for _, s := range []*speaker{here, there} {
				s.users()
				s.buckets()
			}
			if diff := cmp.Diff(there.lines, here.lines); diff != "" {
				t.Errorf("the gateway (-) and its fake (+) differ:\n%s", diff)
			}
		})
	}
}
