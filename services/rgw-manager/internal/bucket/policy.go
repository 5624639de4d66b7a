package bucket

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// language is the version of the policy language that is written.
const language = "2012-10-17"

// maxPolicy is the size that S3 allows.
const maxPolicy = 20 << 10

// granted are the actions of somebody who shares a bucket: all about objects,
// nothing about the bucket's own settings.
var granted = []string{
	"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectTagging", "s3:DeleteObjectVersion",
	"s3:DeleteObjectVersionTagging", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetObject",
	"s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionAcl",
	"s3:GetObjectVersionTagging", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions",
	"s3:ListMultipartUploadParts", "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging",
	"s3:PutObjectVersionAcl", "s3:PutObjectVersionTagging", "s3:RestoreObject",
}

// statement is one that we write.
type statement struct {
	Sid       string              `json:"Sid"`
	Effect    string              `json:"Effect"`
	Principal map[string][]string `json:"Principal"`
	Action    []string            `json:"Action"`
	Resource  []string            `json:"Resource"`
}

// ParsePolicy checks that text may be a policy and returns it without the space
// around it. Whether a gateway accepts each action and principal only it can tell.
func ParsePolicy(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxPolicy {
		return "", invalid("`%s` has more than %d bytes", Policy, maxPolicy)
	}
	_, statements, err := dissect(text)
	if err != nil {
		return "", invalid("`%s` is no policy in JSON: %s", Policy, reason(err))
	}
	if len(statements) == 0 {
		return "", invalid("`%s` has no `Statement`", Policy)
	}
	for i, raw := range statements {
		var one map[string]json.RawMessage
		if json.Unmarshal(raw, &one) != nil || one == nil {
			return "", invalid("`%s`: statement %d is no object", Policy, i+1)
		}
		if lack := missing(one); lack != "" {
			return "", invalid("`%s`: statement %d has no `%s`", Policy, i+1, lack)
		}
		var effect string
		if json.Unmarshal(one["Effect"], &effect) != nil || effect != "Allow" && effect != "Deny" {
			return "", invalid("`%s`: the `Effect` of statement %d must be Allow or Deny", Policy, i+1)
		}
	}
	return text, nil
}

// missing names a part that a statement lacks.
func missing(one map[string]json.RawMessage) string {
	for _, either := range [][]string{{"Effect"}, {"Principal", "NotPrincipal"}, {"Action", "NotAction"}, {"Resource", "NotResource"}} {
		found := false
		for _, key := range either {
			found = found || one[key] != nil
		}
		if !found {
			return either[0]
		}
	}
	return ""
}

// dissect splits a policy into its statements and the rest. Nothing at all is a
// policy without statements.
func dissect(policy string) (rest map[string]json.RawMessage, statements []json.RawMessage, err error) {
	if policy == "" {
		return map[string]json.RawMessage{"Version": quoted(language)}, nil, nil
	}
	if err := json.Unmarshal([]byte(policy), &rest); err != nil {
		return nil, nil, err
	}
	if rest == nil {
		return nil, nil, invalid("null")
	}
	raw := bytes.TrimSpace(rest["Statement"])
	delete(rest, "Statement")
	switch {
	case len(raw) == 0:
	case raw[0] == '{':
		statements = []json.RawMessage{raw}
	default:
		err = json.Unmarshal(raw, &statements)
	}
	return rest, statements, err
}

// assemble undoes dissect.
func assemble(rest map[string]json.RawMessage, statements []json.RawMessage) (string, error) {
	all, err := json.Marshal(statements)
	if err != nil {
		return "", err
	}
	rest["Statement"] = all
	body, err := json.Marshal(rest)
	return string(body), err
}

// Grant returns a policy that lets a user work with the objects of a bucket besides
// all that it says already. A statement of ours keeps its place, so that two who
// share a bucket do not undo each other's order.
func Grant(policy, user, bucket string) (string, error) {
	rest, statements, err := dissect(policy)
	if err != nil {
		return "", err
	}
	own, err := json.Marshal(statement{
		Sid: user, Effect: "Allow", Action: granted,
		Principal: map[string][]string{"AWS": {"arn:aws:iam:::user/" + user}},
		Resource:  []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/*"},
	})
	if err != nil {
		return "", err
	}
	if at := slices.IndexFunc(statements, func(raw json.RawMessage) bool { return sidOf(raw) == user }); at >= 0 {
		statements = slices.Insert(without(statements, user), len(without(statements[:at], user)), own)
	} else {
		statements = append(statements, own)
	}
	return assemble(rest, statements)
}

// Revoke returns the policy without what Grant gave the user; empty when nothing
// else is in it.
func Revoke(policy, user string) (string, error) {
	rest, statements, err := dissect(policy)
	if err != nil {
		return "", err
	}
	kept := without(statements, user)
	switch len(kept) {
	case 0:
		return "", nil
	case len(statements):
		return policy, nil
	}
	return assemble(rest, kept)
}

// without leaves out the statements that have the user's name for an id.
func without(statements []json.RawMessage, user string) []json.RawMessage {
	return slices.DeleteFunc(slices.Clone(statements), func(raw json.RawMessage) bool { return sidOf(raw) == user })
}

func sidOf(raw json.RawMessage) string {
	var one struct{ Sid string }
	if json.Unmarshal(raw, &one) != nil {
		return ""
	}
	return one.Sid
}

// SameJSON tells whether two texts mean the same.
func SameJSON(a, b string) bool {
	if a == b {
		return true
	}
	var left, right any
	return json.Unmarshal([]byte(a), &left) == nil && json.Unmarshal([]byte(b), &right) == nil && reflect.DeepEqual(left, right)
}

func quoted(text string) json.RawMessage { return json.RawMessage(`"` + text + `"`) }

// reason words an error of the JSON package in one line.
func reason(err error) string { return strings.TrimPrefix(err.Error(), "json: ") }
