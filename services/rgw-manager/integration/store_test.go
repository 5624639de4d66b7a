//go:build librados && integration

package integration_test

import (
	"bytes"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/ceph/go-ceph/rgw/admin"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
)

func theStore() *api.CephObjectStore {
	s := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "my-store", UID: "s-1", Generation: 1}}
	small := api.PoolSpec{FailureDomain: "osd", Replicated: api.ReplicatedSpec{Size: 2}, Parameters: map[string]string{"pg_num": "1", "pg_num_min": "1", "pg_autoscale_mode": "off"}}
	coded := api.PoolSpec{FailureDomain: "osd", ErasureCoded: api.ErasureCodedSpec{DataChunks: 2, CodingChunks: 1}, Parameters: small.Parameters}
	s.Spec.MetadataPool, s.Spec.DataPool = &small, &coded
	s.Spec.Gateway.Port = 80
	return s
}

// TestAStoreLivesWithRealCeph plays the whole life with the service's own identity.
func TestAStoreLivesWithRealCeph(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, release, theStore())
			ctx := t.Context()
			r.await("served", r.ready)

			s3Client := r.someUser()
			_, err := s3Client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("photos")})
			r.check(err)
			content := bytes.Repeat([]byte("photo"), 100_000)
			_, err = s3Client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String("one.png"), Body: bytes.NewReader(content)})
			r.check(err)
			got, err := s3Client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String("one.png")})
			r.check(err)
			body, err := io.ReadAll(got.Body)
			r.check(err)
			if !bytes.Equal(body, content) {
				t.Errorf("%d bytes came back, want %d", len(body), len(content))
			}

			r.change(func(spec *api.ObjectStoreSpec) {
				spec.Gateway.RGWConfig = map[string]string{"rgw_max_put_size": "1000000"}
			})
			r.await("the option is stored", func() bool {
				value, err := r.ceph.Client().ConfigGet(ctx, "client.rgw.my-store.a", "rgw_max_put_size")
				return r.ready() && err == nil && value == "1000000"
			})

			r.check(r.kube.Delete(ctx, r.store()))
			r.await("deletion names what is inside", func() bool {
				c := r.condition(api.ConditionDeletionIsBlocked)
				return c.Status == metav1.ConditionTrue && strings.Contains(c.Message, "bucket photos")
			})
			_, err = s3Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("one.png")})
			r.check(err)
			_, err = s3Client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("photos")})
			r.check(err)
			r.squeezeIn(s3Client, "late")
			r.await("the gateways are back and name the bucket", func() bool {
				return strings.Contains(r.condition(api.ConditionDeletionIsBlocked).Message, "bucket late") && r.running.at("my-store") != ""
			})
			_, err = s3Client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("late")})
			r.check(err)
			r.await("gone", func() bool { return r.store() == nil })
			r.nothingLeft()

			r.mayNot("osd purge", map[string]any{"id": 0})
			r.mayNot("mon rm", map[string]any{"name": "a"})
			r.mayNot("auth get", map[string]any{"entity": "client.admin"})
			r.mayNot("auth get-or-create", map[string]any{"entity": "client.x", "caps": []string{"mon", "allow *"}})
			r.mayNot("auth get-or-create", map[string]any{"entity": "client.rgw.x", "caps": []string{"mon", "allow *"}})
			r.mayNot("auth caps", map[string]any{"entity": "client.rook-rgw-manager", "caps": []string{"mon", "allow *"}})
			r.mayNot("auth ls", nil)
			r.mayNot("config set", map[string]any{"who": "mon", "name": "auth_cluster_required", "value": "none"})
			r.mayNot("config rm", map[string]any{"who": "osd", "name": "osd_memory_target"})
			r.mayNot("fs new", map[string]any{"fs_name": "x", "metadata": "a", "data": "b"})
		})
	}
}

// TestAStoreInSharedPoolsTakesItsNamespacesWithIt lives beside another store in the
// same pools.
func TestAStoreInSharedPoolsTakesItsNamespacesWithIt(t *testing.T) {
	t.Parallel()
	release := real.Releases()[0]
	mine := theStore()
	mine.Spec.MetadataPool, mine.Spec.DataPool = nil, nil
	mine.Spec.SharedPools = &api.ObjectSharedPoolsSpec{MetadataPoolName: "meta", DataPoolName: "data"}
	other := mine.DeepCopy()
	other.Name, other.UID = "other", "s-2"
	r := newRig(t, release, mine, other)
	ctx := t.Context()
	r.ceph.RGWPools("meta", "data")
	r.await("both are served", func() bool { return r.ready() && r.running.at("other") != "" })

	s3Client := r.someUser()
	_, err := s3Client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("photos")})
	r.check(err)
	_, err = s3Client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String("one"), Body: strings.NewReader("one")})
	r.check(err)
	if inside := r.namespaces("data"); !slices.Contains(inside, "my-store.buckets.data") {
		t.Errorf("the object is in none of the store's namespaces: %v", inside)
	}
	_, err = s3Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("photos"), Key: aws.String("one")})
	r.check(err)
	_, err = s3Client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("photos")})
	r.check(err)

	r.check(r.kube.Delete(ctx, r.store()))
	r.await("gone", func() bool { return r.store() == nil })
	kept := false
	for _, pool := range []string{"meta", "data"} {
		for _, inside := range r.namespaces(pool) {
			if strings.HasPrefix(inside, "my-store.") {
				t.Errorf("pool %s still holds something in %s", pool, inside)
			}
			kept = kept || strings.HasPrefix(inside, "other.")
		}
	}
	if !kept {
		t.Error("the other store lost what it had")
	}
}

// squeezeIn makes a bucket when the Deployment of the gateways is gone, and their last
// process is not.
func (r *rig) squeezeIn(s3Client *s3.Client, bucket string) {
	r.t.Helper()
	ctx := r.t.Context()
	for deadline := time.Now().Add(patience); ; {
		r.check(r.pass())
		var left appsv1.DeploymentList
		r.check(r.kube.List(ctx, &left))
		if len(left.Items) == 0 {
			break
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the gateways are not ended: %+v", r.condition(api.ConditionReady))
		}
	}
	_, err := s3Client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket})
	r.check(err)
}

// namespaces are those of a pool that hold objects.
func (r *rig) namespaces(pool string) []string {
	r.t.Helper()
	argv := r.ceph.Command("rados", "-c", r.ceph.Inside("ceph.conf"), "-n", r.key.Entity, "-p", pool, "ls", "--all")
	out, err := exec.CommandContext(r.t.Context(), argv[0], argv[1:]...).Output()
	r.check(err)
	found := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if namespace, _, cut := strings.Cut(line, "\t"); cut {
			found[namespace] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// someUser makes a user of the store, and returns S3 as that user.
func (r *rig) someUser() *s3.Client {
	r.t.Helper()
	client, outcome, err := r.gates.Client(r.t.Context(), r.store())
	if err != nil || !outcome.IsDone() {
		r.t.Fatalf("%+v, %v", outcome, err)
	}
	user, err := client.CreateUser(r.t.Context(), admin.User{ID: "alice", DisplayName: "Alice"})
	r.check(err)
	return client.As(user.Keys[0].AccessKey, user.Keys[0].SecretKey)
}

// nothingLeft wants Ceph to be as it was before there was a store.
func (r *rig) nothingLeft() {
	r.t.Helper()
	admin, ctx := r.ceph.Client(), r.t.Context()
	pools, err := admin.PoolNames(ctx)
	r.check(err)
	if len(pools) != 1 || pools[0] != ".mgr" {
		r.t.Errorf("pools %v are left, want .mgr", pools)
	}
	users, err := admin.AuthList(ctx)
	r.check(err)
	for _, user := range users {
		if strings.HasPrefix(user.Entity, "client.rgw.") {
			r.t.Errorf("user %s is left", user.Entity)
		}
	}
	options, err := admin.ConfigDump(ctx)
	r.check(err)
	for _, option := range options {
		if strings.HasPrefix(option.Section, "client.rgw.") {
			r.t.Errorf("option %s of %s is left", option.Name, option.Section)
		}
	}
	rules, err := admin.CrushRuleDump(ctx)
	r.check(err)
	for _, rule := range rules {
		if strings.Contains(rule.Name, "my-store") {
			r.t.Errorf("rule %s is left", rule.Name)
		}
	}
}
