//go:build e2e

package object

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
)

const (
	part  = 20 << 20
	parts = 10
)

// speakS3 tells what people do with a bucket, in the words of the usual library.
func speakS3(t *testing.T, h *harness.Harness, store, other harness.Store) {
	c := h.S3(store)
	bucket := aws.String("story-s3")
	must(t, "make a bucket")(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
	t.Run("a large object in parts", func(t *testing.T) { uploadParts(t, c, bucket) })
	t.Run("a list in pages", func(t *testing.T) { listPages(t, c, bucket) })
	t.Run("a link that needs no key", func(t *testing.T) { presign(t, h, store, c, bucket) })
	t.Run("versions", func(t *testing.T) { keepVersions(t, c, aws.String("story-versions")) })
	t.Run("a policy that denies", func(t *testing.T) { denyByPolicy(t, c, h.S3(other), bucket) })
	t.Run("objects that expire", func(t *testing.T) { expire(t, h, c, aws.String("story-expiry")) })
	t.Run("a bucket that is not empty stays", func(t *testing.T) {
		_, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})
		assertCode(t, err, "BucketNotEmpty")
		empty(t, c, bucket)
	})
}

// uploadParts stores 200 MiB that are never in memory as a whole, and reads them
// back.
func uploadParts(t *testing.T, c *s3.Client, bucket *string) {
	key := aws.String("large")
	upload, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	source, sum := rand.NewChaCha8([32]byte{1}), sha256.New()
	var done []types.CompletedPart
	for number := int32(1); number <= parts; number++ {
		body := make([]byte, part)
		if _, err := io.ReadFull(source, body); err != nil {
			t.Fatal(err)
		}
		sum.Write(body)
		stored, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: &number, Body: bytes.NewReader(body)})
		if err != nil {
			t.Fatalf("part %d: %v", number, err)
		}
		done = append(done, types.CompletedPart{ETag: stored.ETag, PartNumber: aws.Int32(number)})
	}
	must(t, "complete the upload")(c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}))
	object, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	read := sha256.New()
	size, err := io.Copy(read, object.Body)
	if err != nil || size != part*parts || !bytes.Equal(read.Sum(nil), sum.Sum(nil)) {
		t.Errorf("read %d bytes with checksum %s, want %d with %s: %v",
			size, hex.EncodeToString(read.Sum(nil)), part*parts, hex.EncodeToString(sum.Sum(nil)), err)
	}
}

func listPages(t *testing.T, c *s3.Client, bucket *string) {
	var want, got []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("list/%02d", i))
		put(t, c, bucket, want[i], "x")
	}
	pages := 0
	for pager := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("list/"), MaxKeys: aws.Int32(10)}); pager.HasMorePages(); pages++ {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			got = append(got, *object.Key)
		}
	}
	if pages != 3 || !slices.Equal(got, want) {
		t.Errorf("%d pages with %v, want 3 with %v", pages, got, want)
	}
}

func presign(t *testing.T, h *harness.Harness, store harness.Store, c *s3.Client, bucket *string) {
	put(t, c, bucket, "linked", "by a link")
	link, err := s3.NewPresignClient(c).PresignGetObject(t.Context(),
		&s3.GetObjectInput{Bucket: bucket, Key: aws.String("linked")}, s3.WithPresignExpires(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(link.URL, "X-Amz-Signature=", "X-Amz-Signature=0", 1)
	for url, want := range map[string]int{link.URL: http.StatusOK, forged: http.StatusForbidden} {
		reply, err := h.HTTP(store).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if reply.StatusCode != want || want == http.StatusOK && string(body) != "by a link" {
			t.Errorf("%s: got %s %q, want %d (%v)", url, reply.Status, body, want, err)
		}
	}
}

func keepVersions(t *testing.T, c *s3.Client, bucket *string) {
	must(t, "make a bucket")(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
	must(t, "keep versions")(c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))
	put(t, c, bucket, "page", "first")
	put(t, c, bucket, "page", "second")
	must(t, "delete")(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("page")}))
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("page")})
	assertCode(t, err, "NoSuchKey")
	list, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: bucket})
	if err != nil || len(list.Versions) != 2 || len(list.DeleteMarkers) != 1 {
		t.Fatalf("want 2 versions and 1 delete marker, got %+v (%v)", list, err)
	}
	former, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("page"), VersionId: list.Versions[1].VersionId})
	if err != nil {
		t.Fatal(err)
	}
	defer former.Body.Close()
	if body, err := io.ReadAll(former.Body); string(body) != "first" {
		t.Errorf("the oldest version holds %q (%v)", body, err)
	}
	empty(t, c, bucket)
}

// denyByPolicy lets everybody read but what is secret.
func denyByPolicy(t *testing.T, owner, stranger *s3.Client, bucket *string) {
	put(t, owner, bucket, "open/a", "open")
	put(t, owner, bucket, "secret/a", "secret")
	_, err := get(t.Context(), stranger, bucket, "open/a")
	assertCode(t, err, "AccessDenied")
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%[1]s/*"},
		{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%[1]s/secret/*"}]}`, *bucket)
	must(t, "set a policy")(owner.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &policy}))
	if body, err := get(t.Context(), stranger, bucket, "open/a"); body != "open" {
		t.Errorf("a stranger reads %q (%v)", body, err)
	}
	_, err = get(t.Context(), stranger, bucket, "secret/a")
	assertCode(t, err, "AccessDenied")
	must(t, "drop the policy")(owner.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: bucket}))
	_, err = get(t.Context(), stranger, bucket, "open/a")
	assertCode(t, err, "AccessDenied")
}

// expire lets a day pass in a second: the rule is run as the gateways run it at
// night, with Ceph's option for tests.
func expire(t *testing.T, h *harness.Harness, c *s3.Client, bucket *string) {
	must(t, "make a bucket")(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
	put(t, c, bucket, "old/a", "x")
	put(t, c, bucket, "keep/a", "x")
	rule := types.LifecycleRule{ID: aws.String("old"), Status: types.ExpirationStatusEnabled,
		Filter: &types.LifecycleRuleFilter{Prefix: aws.String("old/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}}
	must(t, "set a rule")(c.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{rule}}}))
	set, err := c.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
	if err != nil || len(set.Rules) != 1 || *set.Rules[0].Expiration.Days != 1 {
		t.Fatalf("rules are %+v (%v)", set, err)
	}
	h.Eventually(t, time.Minute, "the object has expired", func(ctx context.Context) (bool, string) {
		said, err := h.Shell(t, "radosgw-admin lc process --bucket "+*bucket+" --rgw-lc-debug-interval 1"+zone)
		if err != nil {
			return false, err.Error()
		}
		_, err = get(ctx, c, bucket, "old/a")
		return code(err) == "NoSuchKey", fmt.Sprint(said, err)
	})
	if body, err := get(t.Context(), c, bucket, "keep/a"); body != "x" {
		t.Errorf("the object outside the rule holds %q (%v)", body, err)
	}
	empty(t, c, bucket)
}

func put(t *testing.T, c *s3.Client, bucket *string, key, body string) {
	t.Helper()
	must(t, "put "+key)(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body)}))
}

func get(ctx context.Context, c *s3.Client, bucket *string, key string) (string, error) {
	object, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer object.Body.Close()
	body, err := io.ReadAll(object.Body)
	return string(body), err
}

// empty deletes a bucket with all that is in it, and tries again as clients do:
// gateways may answer a long request before they have read all of it, and an
// object whose client took leave early may arrive late.
func empty(t *testing.T, c *s3.Client, bucket *string) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if last = deleteAll(ctx, c, bucket); last == nil {
			_, last = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
		}
		return last == nil || code(last) == "NoSuchBucket", nil
	})
	if err != nil {
		t.Fatalf("bucket %s is still there: %v", *bucket, last)
	}
}

// deleteAll deletes the versions that one list of a bucket names.
func deleteAll(ctx context.Context, c *s3.Client, bucket *string) error {
	list, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
	if err != nil {
		return err
	}
	var all []types.ObjectIdentifier
	for _, version := range list.Versions {
		all = append(all, types.ObjectIdentifier{Key: version.Key, VersionId: version.VersionId})
	}
	for _, marker := range list.DeleteMarkers {
		all = append(all, types.ObjectIdentifier{Key: marker.Key, VersionId: marker.VersionId})
	}
	if len(all) == 0 {
		return nil
	}
	removed, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: all}})
	if err == nil && len(removed.Errors) > 0 {
		refused := removed.Errors[0]
		err = fmt.Errorf("object %s: %s", aws.ToString(refused.Key), aws.ToString(refused.Code))
	}
	return err
}

// must fails the test when the call does.
func must(t *testing.T, what string) func(any, error) {
	t.Helper()
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func code(err error) string {
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return ""
}

func assertCode(t *testing.T, err error, want string) {
	t.Helper()
	if code(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
