package purge_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/purge"
)

// shelf is a bucket: versions as key and id, in order, and uploads.
type shelf struct {
	versions, uploads []string
	// locked are keys that cannot be deleted, lost uploads that nobody can abort.
	locked, lost []string
	// largest is the most that one request deleted; took is told of each request that
	// deletes.
	largest int
	took    func()
}

func (s *shelf) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	out := &s3.ListObjectVersionsOutput{EncodingType: types.EncodingTypeUrl}
	after := aws.ToString(in.KeyMarker) + " " + aws.ToString(in.VersionIdMarker)
	for _, one := range s.versions {
		if after != " " && one <= after {
			continue
		}
		key, id, _ := strings.Cut(one, " ")
		if len(out.Versions)+len(out.DeleteMarkers) == int(*in.MaxKeys) {
			out.IsTruncated = aws.Bool(true)
			return out, nil
		}
		spelt := aws.String(url.QueryEscape(key))
		if strings.HasPrefix(id, "mark") {
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{Key: spelt, VersionId: &id})
		} else {
			out.Versions = append(out.Versions, types.ObjectVersion{Key: spelt, VersionId: &id})
		}
		out.NextKeyMarker, out.NextVersionIdMarker = spelt, &id
	}
	return out, nil
}

func (s *shelf) drop(key, id string) {
	s.versions = slices.DeleteFunc(s.versions, func(one string) bool { return one == key+" "+id })
}

func (s *shelf) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput, _ ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	out := &s3.DeleteObjectsOutput{}
	s.largest = max(s.largest, len(in.Delete.Objects))
	for _, one := range in.Delete.Objects {
		switch {
		case strings.Contains(*one.Key, "\n"):
			return nil, errors.New("no XML")
		case slices.Contains(s.locked, *one.Key):
			out.Errors = append(out.Errors, types.Error{Key: one.Key, Code: aws.String("AccessDenied")})
		default:
			s.drop(*one.Key, *one.VersionId)
		}
	}
	if s.took != nil {
		s.took()
	}
	return out, nil
}

func (s *shelf) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	s.drop(*in.Key, *in.VersionId)
	return &s3.DeleteObjectOutput{}, nil
}

func (s *shelf) ListMultipartUploads(context.Context, *s3.ListMultipartUploadsInput, ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error) {
	out := &s3.ListMultipartUploadsOutput{} // real ones do not say that names are encoded
	for _, key := range slices.Concat(s.uploads, s.lost) {
		out.Uploads = append(out.Uploads, types.MultipartUpload{Key: aws.String(url.QueryEscape(key)), UploadId: aws.String("id")})
	}
	return out, nil
}

func (s *shelf) AbortMultipartUpload(_ context.Context, in *s3.AbortMultipartUploadInput, _ ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
	before := len(s.uploads)
	s.uploads = slices.DeleteFunc(s.uploads, func(key string) bool { return key == *in.Key })
	if len(s.uploads) == before {
		return nil, &ops.Error{Kind: ops.ErrNotFound, Code: "NoSuchUpload"}
	}
	return &s3.AbortMultipartUploadOutput{}, nil
}

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestABucketIsEmptiedInBatches(t *testing.T) {
	s := &shelf{uploads: []string{"a b&", "big"}, lost: []string{"ghost"}}
	for i := range 25 {
		s.versions = append(s.versions, fmt.Sprintf("a+%02d mark1", i), fmt.Sprintf("a+%02d v1", i))
	}
	s.versions = append(s.versions, "line\nbreak v1", "ü v1")
	target := purge.Target{S3: s, Bucket: "b", Batch: 10, Clock: clocktesting.NewFakePassiveClock(now)}
	progress, err := target.Slice(t.Context(), now.Add(time.Second))
	if err != nil || !progress.Empty || progress.Removed != 54 || s.largest != 10 {
		t.Errorf("%+v, %v; at most %d together", progress, err, s.largest)
	}
	if len(s.versions)+len(s.uploads) > 0 {
		t.Errorf("left: %q %q", s.versions, s.uploads)
	}
}

func TestASliceEndsWithItsTime(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(now)
	s := &shelf{took: func() { clock.SetTime(clock.Now().Add(400 * time.Millisecond)) }}
	for i := range 100 {
		s.versions = append(s.versions, fmt.Sprintf("%02d null", i))
	}
	target := purge.Target{S3: s, Bucket: "b", Batch: 10, Clock: clock}
	for _, want := range []int{30, 30, 30, 10} {
		progress, err := target.Slice(t.Context(), clock.Now().Add(time.Second))
		if err != nil || progress.Removed != want || progress.Empty != (want == 10) {
			t.Errorf("%+v, %v; want %d", progress, err, want)
		}
	}
}

func TestWhatIsLockedHoldsUpNothingElse(t *testing.T) {
	s := &shelf{locked: []string{"03", "17"}}
	for i := range 30 {
		s.versions = append(s.versions, fmt.Sprintf("%02d null", i))
	}
	target := purge.Target{S3: s, Bucket: "b", Batch: 10, Clock: clocktesting.NewFakePassiveClock(now)}
	progress, err := target.Slice(t.Context(), now.Add(time.Second))
	if err != nil || progress.Empty || progress.Refused != "AccessDenied" || progress.Objects != 2 || progress.Removed != 28 || len(s.versions) != 2 {
		t.Errorf("%+v, %v; left %q", progress, err, s.versions)
	}
}
