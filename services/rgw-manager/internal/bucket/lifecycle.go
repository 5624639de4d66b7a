package bucket

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// maxRules is how many S3 allows.
const maxRules = 1000

// ParseLifecycle understands a lifecycle in the JSON that the command line of S3
// takes. Unknown fields are refused, since nobody would act on them.
func ParseLifecycle(text string) (*types.BucketLifecycleConfiguration, error) {
	var config types.BucketLifecycleConfiguration
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return nil, invalid("`%s` is no lifecycle in JSON: %s", Lifecycle, reason(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("`%s` has something behind its JSON", Lifecycle)
	}
	if len(config.Rules) == 0 || len(config.Rules) > maxRules {
		return nil, invalid("`%s` must have 1 to %d `Rules`", Lifecycle, maxRules)
	}
	ids := map[string]bool{}
	for i := range config.Rules {
		rule := &config.Rules[i]
		if aws.ToString(rule.ID) == "" {
			rule.ID = aws.String(fmt.Sprintf("rule-%d", i+1)) // the store would draw another each time
		}
		if err := checkRule(rule); err != nil {
			return nil, invalid("`%s`: rule %d: %s", Lifecycle, i+1, err)
		}
		if id := *rule.ID; ids[id] {
			return nil, invalid("`%s`: rule %d: `ID` '%s' is that of another rule", Lifecycle, i+1, id)
		}
		ids[*rule.ID] = true
	}
	return &config, nil
}

func checkRule(rule *types.LifecycleRule) error {
	switch {
	case rule.Status != types.ExpirationStatusEnabled && rule.Status != types.ExpirationStatusDisabled:
		return errors.New("`Status` must be Enabled or Disabled")
	case rule.Filter != nil && rule.Prefix != nil: //nolint:staticcheck // the older way to say it, which manifests use
		return errors.New("`Prefix` and `Filter` must not be set both")
	}
	for name, days := range days(rule) {
		if days != nil && *days <= 0 {
			return fmt.Errorf("`%s` must be more than 0", name)
		}
	}
	return checkActions(rule)
}

func checkActions(rule *types.LifecycleRule) error {
	expiration, abort := rule.Expiration, rule.AbortIncompleteMultipartUpload
	switch {
	case expiration == nil && abort == nil && rule.NoncurrentVersionExpiration == nil &&
		len(rule.Transitions) == 0 && len(rule.NoncurrentVersionTransitions) == 0:
		return errors.New("it does nothing; set `Expiration`, `AbortIncompleteMultipartUpload` or another action")
	case expiration != nil && expiration.Days == nil && expiration.Date == nil && expiration.ExpiredObjectDeleteMarker == nil:
		return errors.New("`Expiration` needs `Days`, `Date` or `ExpiredObjectDeleteMarker`")
	case abort != nil && abort.DaysAfterInitiation == nil:
		return errors.New("`AbortIncompleteMultipartUpload` needs `DaysAfterInitiation`")
	}
	return nil
}

// days are the periods of a rule that must not be 0.
func days(rule *types.LifecycleRule) map[string]*int32 {
	all := map[string]*int32{}
	if rule.Expiration != nil {
		all["Expiration.Days"] = rule.Expiration.Days
	}
	if rule.NoncurrentVersionExpiration != nil {
		all["NoncurrentVersionExpiration.NoncurrentDays"] = rule.NoncurrentVersionExpiration.NoncurrentDays
	}
	if rule.AbortIncompleteMultipartUpload != nil {
		all["AbortIncompleteMultipartUpload.DaysAfterInitiation"] = rule.AbortIncompleteMultipartUpload.DaysAfterInitiation
	}
	return all
}

// SameLifecycle tells whether two lists of rules mean the same, in whatever order and
// with prefixes in either of the two places for them.
func SameLifecycle(a, b []types.LifecycleRule) bool {
	return reflect.DeepEqual(plain(a), plain(b))
}

func plain(rules []types.LifecycleRule) []types.LifecycleRule {
	all := slices.Clone(rules)
	for i := range all {
		rule := &all[i]
		filter := types.LifecycleRuleFilter{Prefix: rule.Prefix} //nolint:staticcheck // the older way to say it
		if rule.Filter != nil {
			filter = *rule.Filter
		}
		filter.Prefix = aws.String(aws.ToString(filter.Prefix)) // all objects, either way
		rule.Filter, rule.Prefix = &filter, nil                 //nolint:staticcheck // the older way to say it
	}
	slices.SortFunc(all, func(x, y types.LifecycleRule) int { return strings.Compare(aws.ToString(x.ID), aws.ToString(y.ID)) })
	return all
}
