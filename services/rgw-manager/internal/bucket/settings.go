package bucket

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// The settings that a claim may make in additionalConfig.
const (
	MaxObjects       = "maxObjects"
	MaxSize          = "maxSize"
	BucketMaxObjects = "bucketMaxObjects"
	BucketMaxSize    = "bucketMaxSize"
	Policy           = "bucketPolicy"
	Lifecycle        = "bucketLifecycle"
	Owner            = "bucketOwner"
)

// known are all settings, in the order in which they are documented.
var known = []string{MaxObjects, MaxSize, BucketMaxObjects, BucketMaxSize, Policy, Lifecycle, Owner}

// Known are the settings that there are.
func Known() []string { return slices.Clone(known) }

// Unknown is the first of some settings that there is not; empty if there is none.
func Unknown(keys []string) string {
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return key
		}
	}
	return ""
}

var (
	// ErrNotAllowed means that the installation does not let claims make a setting.
	ErrNotAllowed = errors.New("not allowed")
	// ErrInvalid means that a setting cannot be understood.
	ErrInvalid = errors.New("invalid")
)

// refusal is a sentence for people with the sentinel that code asks for.
type refusal struct {
	kind error
	text string
}

// Error is the sentence.
func (r refusal) Error() string { return r.text }

// Unwrap is the sentinel.
func (r refusal) Unwrap() error { return r.kind }

func invalid(format string, args ...any) error {
	return refusal{ErrInvalid, fmt.Sprintf(format, args...)}
}

// Settings are what a claim asks for besides the bucket itself.
type Settings struct {
	// User limits all that the claim's user keeps, Bucket the bucket whoever
	// writes to it.
	User, Bucket ops.Quota
	// Policy is JSON; empty for none.
	Policy string
	// Lifecycle is nil for none.
	Lifecycle *types.BucketLifecycleConfiguration
	// Owner is an existing user that owns the bucket in place of one of its own.
	Owner string
}

// Parse understands additionalConfig, of which only the allowed settings may be
// made. Its errors are ErrNotAllowed or ErrInvalid, and name all that is wrong of a
// kind.
func Parse(config map[string]string, allowed []string) (Settings, error) {
	var unknown, denied []string
	for _, key := range slices.Sorted(maps.Keys(config)) {
		switch {
		case !slices.Contains(known, key):
			unknown = append(unknown, "'"+key+"'")
		case !slices.Contains(allowed, key):
			denied = append(denied, "'"+key+"'")
		}
	}
	if len(denied) > 0 {
		return Settings{}, refusal{ErrNotAllowed, fmt.Sprintf(
			"`additionalConfig` sets %s, which this installation does not allow; remove it, or have an administrator add it to `obcAllowAdditionalConfigFields` of the chart", strings.Join(denied, ", "))}
	}
	if len(unknown) > 0 {
		return Settings{}, refusal{ErrNotAllowed, fmt.Sprintf(
			"`additionalConfig` sets %s, which is unknown; remove it", strings.Join(unknown, ", "))}
	}
	return parse(config)
}

func parse(config map[string]string) (Settings, error) {
	var wrong problem.List
	s := Settings{User: ops.NoQuota, Bucket: ops.NoQuota, Owner: strings.TrimSpace(config[Owner])}
	limit := func(key string, into *int64, read func(string) (int64, error)) {
		text, set := config[key]
		if !set {
			return
		}
		value, err := read(strings.TrimSpace(text))
		switch {
		case err != nil:
			wrong.Add(invalid("`%s: %s` is no number; write it like 100, 2G or 512Mi", key, text))
		case value <= 0:
			wrong.Add(invalid("`%s: %s` must be more than 0; remove it for no limit", key, text))
		}
		*into = value
	}
	limit(MaxObjects, &s.User.MaxObjects, count)
	limit(MaxSize, &s.User.MaxSize, size)
	limit(BucketMaxObjects, &s.Bucket.MaxObjects, count)
	limit(BucketMaxSize, &s.Bucket.MaxSize, size)
	var err error
	if text, set := config[Policy]; set {
		s.Policy, err = ParsePolicy(text)
		wrong.Add(err)
	}
	if text, set := config[Lifecycle]; set {
		s.Lifecycle, err = ParseLifecycle(text)
		wrong.Add(err)
	}
	if _, set := config[Owner]; set && s.Owner == "" {
		wrong.Add(invalid("`%s` is empty; name a user of the store, or remove it", Owner))
	}
	if s.Owner != "" && s.User.Enabled() {
		wrong.Add(invalid("`%s` and `%s` limit a user that is made for the claim, and must not be set with `%s`; use `%s` and `%s`",
			MaxObjects, MaxSize, Owner, BucketMaxObjects, BucketMaxSize))
	}
	if err := wrong.Err(); err != nil {
		return Settings{}, refusal{ErrInvalid, err.Error()}
	}
	return s, nil
}

func count(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }

// size reads bytes with or without a suffix, such as 2G or 4Ki.
func size(text string) (int64, error) {
	quantity, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, err
	}
	return quantity.Value(), nil
}

// Remembered are the settings of a bucket that have to be taken back once a claim no
// longer makes them: unlike limits, others may make them as well.
func Remembered(s Settings) []string {
	var keys []string
	if s.Lifecycle != nil {
		keys = append(keys, Lifecycle)
	}
	if s.Policy != "" {
		keys = append(keys, Policy)
	}
	return keys
}
