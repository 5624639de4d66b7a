package bucket_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
)

const (
	uid       = "c1178d61-1517-431f-8408-ec4c9fa50bee"
	statement = `{"Sid":"a","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/*"}`
)

func TestNames(t *testing.T) {
	for prefix, want := range map[string]string{
		"photo":                        "photo-" + uid,
		"":                             uid,
		strings.Repeat("a", 40):        strings.Repeat("a", 26) + "-" + uid,
		"twenty-five-characters-a-":    "twenty-five-characters-a--" + uid,
		strings.Repeat("a", 25) + "-b": strings.Repeat("a", 25) + "-" + uid,
	} {
		got := bucket.Generated(prefix, uid)
		if got != want || bucket.CheckName(got) != nil {
			t.Errorf("%s: got %s, %v; want %s", prefix, got, bucket.CheckName(got), want)
		}
	}
	for _, bad := range []string{"", "ab", strings.Repeat("a", 64), "Photo", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", "a/b", "ab\n"} {
		if bucket.CheckName(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestSettings(t *testing.T) {
	all := []string{"maxObjects", "maxSize", "bucketMaxObjects", "bucketMaxSize", "bucketPolicy", "bucketLifecycle", "bucketOwner"}
	tests := map[string]struct {
		config  map[string]string
		allowed []string
		want    bucket.Settings
		err     error
		text    string
	}{
		"none": {want: bucket.Settings{User: ops.NoQuota, Bucket: ops.NoQuota}},
		"limits with suffixes and space": {
			config: map[string]string{"maxObjects": " 10 ", "maxSize": "2G", "bucketMaxSize": "4Ki", "bucketMaxObjects": "7"}, allowed: all,
			want: bucket.Settings{User: ops.Quota{MaxSize: 2e9, MaxObjects: 10}, Bucket: ops.Quota{MaxSize: 4096, MaxObjects: 7}},
		},
		"one limit leaves the other off": {
			config: map[string]string{"maxObjects": "1"}, allowed: all,
			want: bucket.Settings{User: ops.Quota{MaxSize: ops.Unlimited, MaxObjects: 1}, Bucket: ops.NoQuota},
		},
		"not allowed, all are named": {
			config: map[string]string{"bucketOwner": "a", "bucketPolicy": "{"}, allowed: []string{"maxSize"},
			err: bucket.ErrNotAllowed, text: "'bucketOwner', 'bucketPolicy'",
		},
		"unknown":              {config: map[string]string{"color": "red"}, allowed: all, err: bucket.ErrNotAllowed, text: "unknown"},
		"zero":                 {config: map[string]string{"maxSize": "0"}, allowed: all, err: bucket.ErrInvalid, text: "more than 0"},
		"negative":             {config: map[string]string{"maxObjects": "-1"}, allowed: all, err: bucket.ErrInvalid, text: "more than 0"},
		"too much for a count": {config: map[string]string{"maxObjects": "99999999999999999999"}, allowed: all, err: bucket.ErrInvalid, text: "no number"},
		"two mistakes":         {config: map[string]string{"maxObjects": "x", "maxSize": "y"}, allowed: all, err: bucket.ErrInvalid, text: "maxSize"},
		"an empty owner":       {config: map[string]string{"bucketOwner": " "}, allowed: all, err: bucket.ErrInvalid, text: "empty"},
		"limits of a user that somebody else is": {
			config: map[string]string{"bucketOwner": "a", "maxSize": "1"}, allowed: all, err: bucket.ErrInvalid, text: "bucketMaxSize",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := bucket.Parse(tc.config, tc.allowed)
			if !errors.Is(err, tc.err) || err != nil && !strings.Contains(err.Error(), tc.text) {
				t.Fatalf("got error %v, want %v with %q", err, tc.err, tc.text)
			}
			if err == nil {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	for text, good := range map[string]bool{
		`{"Version":"2012-10-17","Statement":[` + statement + `]}`: true,
		` {"Statement":` + statement + `} `:                        true,
		``:                                                         false,
		`{`:                                                        false,
		`null`:                                                     false,
		`[]`:                                                       false,
		`"text"`:                                                   false,
		`{}`:                                                       false,
		`{"Statement":[]}`:                                         false,
		`{"Statement":["a"]}`:                                      false,
		`{"Statement":[null]}`:                                     false,
		`{"Statement":[{"Effect":"Allow"}]}`:                       false,
		`{"Statement":` + strings.Replace(statement, "Allow", "Maybe", 1) + `}`:     false,
		`{"Statement":` + strings.Replace(statement, "Resource", "Source", 1) + `}`: false,
		strings.Repeat(" ", 10) + `{"Id":"` + strings.Repeat("x", 20<<10) + `"}`:    false,
	} {
		if _, err := bucket.ParsePolicy(text); (err == nil) != good || err != nil && !errors.Is(err, bucket.ErrInvalid) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestGrantAndRevokeLeaveAllElse(t *testing.T) {
	for name, policy := range map[string]string{
		"nothing":             "",
		"one statement":       `{"Version":"2012-10-17","Id":"x","Statement":` + statement + `}`,
		"several":             `{"Version":"2008-10-17","Statement":[` + statement + `,` + strings.Replace(statement, `"a"`, `"b"`, 1) + `]}`,
		"one without an id":   `{"Statement":[` + strings.Replace(statement, `"Sid":"a",`, "", 1) + `]}`,
		"that of another one": `{"Statement":[` + strings.Replace(statement, `"a"`, `"user2"`, 1) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			granted, err := bucket.Grant(policy, "user", "photos")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`arn:aws:iam:::user/user"`, `arn:aws:s3:::photos"`, `arn:aws:s3:::photos/*"`} {
				if !strings.Contains(granted, want) {
					t.Errorf("%s lacks %s", granted, want)
				}
			}
			if strings.Contains(granted, "PutBucketPolicy") || strings.Contains(granted, "DeleteBucket\"") {
				t.Errorf("%s gives the bucket itself away", granted)
			}
			again, err := bucket.Grant(granted, "user", "photos")
			if err != nil || !bucket.SameJSON(again, granted) {
				t.Errorf("granted twice: %s, %v", again, err)
			}
			other, err := bucket.Grant(granted, "other", "photos")
			if err != nil {
				t.Fatal(err)
			}
			if same, err := bucket.Grant(other, "user", "photos"); err != nil || !bucket.SameJSON(same, other) {
				t.Errorf("granted again after another one: %s, %v; want %s", same, err, other)
			}
			both, err := bucket.Revoke(other, "other")
			if err != nil || !bucket.SameJSON(both, granted) {
				t.Errorf("revoking another one: %s, %v", both, err)
			}
			revoked, err := bucket.Revoke(granted, "user")
			if err != nil || policy == "" && revoked != "" || policy != "" && !sameStatements(revoked, policy) {
				t.Errorf("revoked: %s, %v; want %s", revoked, err, policy)
			}
			untouched, err := bucket.Revoke(policy, "user")
			if err != nil || untouched != policy {
				t.Errorf("nothing to revoke: %s, %v", untouched, err)
			}
		})
	}
}

// sameStatements compares policies, a single statement being a list of one.
func sameStatements(a, b string) bool {
	list := func(text string) string {
		var policy map[string]any
		if json.Unmarshal([]byte(text), &policy) != nil {
			return ""
		}
		if one, is := policy["Statement"].(map[string]any); is {
			policy["Statement"] = []any{one}
		}
		body, _ := json.Marshal(policy)
		return string(body)
	}
	return list(a) != "" && list(a) == list(b)
}

func TestLifecycles(t *testing.T) {
	rule := func(inner string) string { return `{"Rules":[{"ID":"a","Status":"Enabled",` + inner + `}]}` }
	for text, good := range map[string]bool{
		rule(`"Prefix":"","Expiration":{"Days":30}`):                                                                                true,
		rule(`"Filter":{"Prefix":"logs/"},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}`):                              true,
		rule(`"Filter":{"And":{"Prefix":"a","Tags":[{"Key":"k","Value":"v"}]}},"NoncurrentVersionExpiration":{"NoncurrentDays":3}`): true,
		rule(`"Expiration":{"Date":"2030-01-01T00:00:00Z"}`):                                                                        true,
		rule(`"Expiration":{"ExpiredObjectDeleteMarker":true}`):                                                                     true,
		rule(`"Prefix":"","Filter":{},"Expiration":{"Days":30}`):                                                                    false,
		rule(`"Expiration":{"Days":0}`):                                                                                             false,
		rule(`"Expiration":{}`):                                                                                                     false,
		rule(`"AbortIncompleteMultipartUpload":{}`):                                                                                 false,
		rule(`"Prefix":""`):                                                  false,
		rule(`"Expiry":{"Days":1}`):                                          false,
		rule(`"Expiration":{"Days":"1"}`):                                    false,
		rule(`"Expiration":{"Days":1}`) + `x`:                                false,
		strings.Replace(rule(`"Expiration":{"Days":1}`), "Enabled", "On", 1): false,
		`{"Rules":[]}`:                                                       false,
		`{}`:                                                                 false,
		`null`:                                                               false,
		``:                                                                   false,
		`{"Rules":[{"ID":"a","Status":"Enabled","Expiration":{"Days":1}},{"ID":"a","Status":"Enabled","Expiration":{"Days":2}}]}`: false,
	} {
		if _, err := bucket.ParseLifecycle(text); (err == nil) != good || err != nil && !errors.Is(err, bucket.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLifecyclesAreTheSameInAnyOrderAndWording(t *testing.T) {
	parse := func(rules ...string) string { return `{"Rules":[` + strings.Join(rules, ",") + `]}` }
	a := `{"ID":"a","Status":"Enabled","Prefix":"x","Expiration":{"Days":1}}`
	same := `{"ID":"a","Status":"Enabled","Filter":{"Prefix":"x"},"Expiration":{"Days":1}}`
	b := `{"ID":"b","Status":"Enabled","Expiration":{"Days":1}}`
	for _, tc := range []struct {
		left, right string
		want        bool
	}{
		{parse(a, b), parse(b, same), true},
		{parse(a), parse(a, b), false},
		{parse(a), parse(strings.Replace(a, `"Days":1`, `"Days":2`, 1)), false},
		{parse(a), parse(strings.Replace(a, `"x"`, `"y"`, 1)), false},
	} {
		left, err := bucket.ParseLifecycle(tc.left)
		if err != nil {
			t.Fatal(err)
		}
		right, err := bucket.ParseLifecycle(tc.right)
		if err != nil {
			t.Fatal(err)
		}
		if got := bucket.SameLifecycle(left.Rules, right.Rules); got != tc.want {
			t.Errorf("%s and %s: same is %t", tc.left, tc.right, got)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[` + statement + `]}`)
	f.Add(`{"Statement":` + statement + `}`)
	f.Add(`{"Statement":[1,{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := bucket.ParsePolicy(text)
		if err != nil {
			if !errors.Is(err, bucket.ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		granted, err := bucket.Grant(policy, "someone-new", "photos")
		if err != nil {
			t.Fatalf("%q cannot be added to: %v", text, err)
		}
		if _, err := bucket.ParsePolicy(granted); err != nil && len(granted) < 20<<10 {
			t.Errorf("%q makes %q: %v", text, granted, err)
		}
		revoked, err := bucket.Revoke(granted, "someone-new")
		if err != nil || strings.Contains(revoked, "user/someone-new") && !strings.Contains(text, "someone-new") {
			t.Errorf("%q is left with %q: %v", text, revoked, err)
		}
	})
}

func FuzzLifecycle(f *testing.F) {
	f.Add(`{"Rules":[{"ID":"a","Status":"Enabled","Prefix":"","Expiration":{"Days":30}}]}`)
	f.Add(`{"Rules":[{"Status":"Disabled","Filter":{"And":{"Tags":[{"Key":"k"}]}},"Transitions":[{}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		config, err := bucket.ParseLifecycle(text)
		if err != nil {
			if !errors.Is(err, bucket.ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if len(config.Rules) == 0 || !bucket.SameLifecycle(config.Rules, config.Rules) {
			t.Errorf("%q: %+v", text, config)
		}
	})
}
