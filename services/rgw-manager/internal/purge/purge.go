package purge

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"k8s.io/utils/clock"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
)

// MaxBatch is how many objects are deleted by one request at most: few enough for a
// slow cluster to answer in time.
const MaxBatch = 500

// S3 is what a purge asks of a gateway, as the owner of the bucket.
type S3 interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	ListMultipartUploads(context.Context, *s3.ListMultipartUploadsInput, ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// Target is a bucket to empty.
type Target struct {
	S3     S3
	Bucket string
	// Batch is how many objects one request deletes, up to MaxBatch.
	Batch int32
	Clock clock.PassiveClock
}

// Progress is what a slice came to.
type Progress struct {
	// Removed counts versions, deletion marks and uploads.
	Removed int
	// Empty is whether nothing is left.
	Empty bool
	// Refused is the code with which the gateway refused to delete objects, such as
	// those under a lock, and Objects how many of them it met.
	Refused string
	Objects int
}

// Slice deletes until nothing is left or the given time has come; one batch at
// least. It reports what it did even along with an error.
func (t Target) Slice(ctx context.Context, until time.Time) (Progress, error) {
	var progress Progress
	if done, err := t.uploads(ctx, until, &progress); err != nil || !done {
		return progress, err
	}
	var from page
	for {
		found, err := t.page(ctx, from, &progress)
		if err != nil {
			return progress, err
		}
		switch {
		case found.last && progress.Refused != "":
			return progress, nil
		case found.last && len(found.objects) == 0 && from == page{}:
			progress.Empty = true
			return progress, nil
		case found.last:
			found.next = page{} // whatever was written meanwhile
		}
		if from = found.next; !t.Clock.Now().Before(until) {
			return progress, nil
		}
	}
}

// page is where a list goes on.
type page struct{ key, version string }

// found is one page of versions and deletion marks.
type found struct {
	objects []types.ObjectIdentifier
	next    page
	last    bool
}

// page deletes what one page of the list has.
func (t Target) page(ctx context.Context, from page, progress *Progress) (found, error) {
	listed, err := t.list(ctx, from)
	if err != nil {
		return found{}, err
	}
	return listed, t.remove(ctx, listed.objects, progress)
}

func (t Target) list(ctx context.Context, from page) (found, error) {
	input := &s3.ListObjectVersionsInput{Bucket: &t.Bucket, MaxKeys: aws.Int32(t.batch()), EncodingType: types.EncodingTypeUrl}
	if from.key != "" {
		input.KeyMarker = &from.key
		if from.version != "" {
			input.VersionIdMarker = &from.version
		}
	}
	reply, err := t.S3.ListObjectVersions(ctx, input)
	if err != nil {
		return found{}, fmt.Errorf("list versions in bucket %s: %w", t.Bucket, err)
	}
	result := found{last: !aws.ToBool(reply.IsTruncated)}
	coded := reply.EncodingType == types.EncodingTypeUrl
	for _, one := range reply.Versions {
		result.objects = append(result.objects, identifier(one.Key, one.VersionId, coded))
	}
	for _, one := range reply.DeleteMarkers {
		result.objects = append(result.objects, identifier(one.Key, one.VersionId, coded))
	}
	result.next = page{decoded(aws.ToString(reply.NextKeyMarker), coded), aws.ToString(reply.NextVersionIdMarker)}
	if !result.last && result.next == from {
		return found{}, fmt.Errorf("list versions in bucket %s: the gateway gives the same page again", t.Bucket)
	}
	return result, nil
}

func (t Target) batch() int32 { return min(max(t.Batch, 1), MaxBatch) }

func identifier(key, version *string, coded bool) types.ObjectIdentifier {
	return types.ObjectIdentifier{Key: aws.String(decoded(aws.ToString(key), coded)), VersionId: version}
}

// decoded undoes the encoding that lists have because names may hold what XML cannot.
func decoded(name string, coded bool) string {
	if !coded {
		return name
	}
	plain, err := url.QueryUnescape(name)
	if err != nil {
		return name
	}
	return plain
}

// remove deletes objects: all by one request but those whose names XML cannot hold.
func (t Target) remove(ctx context.Context, objects []types.ObjectIdentifier, progress *Progress) error {
	var together, apart []types.ObjectIdentifier
	for _, one := range objects {
		if speakable(*one.Key) {
			together = append(together, one)
		} else {
			apart = append(apart, one)
		}
	}
	for batch := range slices.Chunk(together, int(t.batch())) {
		reply, err := t.S3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &t.Bucket, Delete: &types.Delete{Objects: batch, Quiet: aws.Bool(true)}})
		if err != nil {
			return fmt.Errorf("delete objects of bucket %s: %w", t.Bucket, err)
		}
		progress.Removed += len(batch) - len(reply.Errors)
		for _, refused := range reply.Errors {
			progress.Refused = aws.ToString(refused.Code)
			progress.Objects++
		}
	}
	for _, one := range apart {
		if _, err := t.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &t.Bucket, Key: one.Key, VersionId: one.VersionId}); err != nil {
			return fmt.Errorf("delete an object of bucket %s: %w", t.Bucket, err)
		}
		progress.Removed++
	}
	return nil
}

// speakable tells whether XML can hold a name.
func speakable(name string) bool {
	for _, r := range name {
		if r < ' ' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// uploads aborts unfinished uploads, and tells whether there was time for all. One that
// cannot be found does not keep the bucket.
func (t Target) uploads(ctx context.Context, until time.Time, progress *Progress) (bool, error) {
	for {
		reply, err := t.S3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{
			Bucket: &t.Bucket, MaxUploads: aws.Int32(t.batch()), EncodingType: types.EncodingTypeUrl})
		if err != nil {
			return false, fmt.Errorf("list uploads in bucket %s: %w", t.Bucket, err)
		}
		before := progress.Removed
		for _, one := range reply.Uploads {
			aborted, err := t.abort(ctx, aws.ToString(one.Key), one.UploadId)
			if err != nil {
				return false, err
			}
			if aborted {
				progress.Removed++
			}
		}
		if progress.Removed == before {
			return true, nil
		}
		if !t.Clock.Now().Before(until) {
			return false, nil
		}
	}
}

// abort ends one upload. Gateways spell names in the list of uploads as they were asked
// to, but do not say so.
func (t Target) abort(ctx context.Context, listed string, id *string) (bool, error) {
	names := []string{decoded(listed, true)}
	if names[0] != listed {
		names = append(names, listed)
	}
	for _, name := range names {
		_, err := t.S3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &t.Bucket, Key: &name, UploadId: id})
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, ops.ErrNotFound) {
			return false, fmt.Errorf("abort an upload to bucket %s: %w", t.Bucket, err)
		}
	}
	return false, nil
}
