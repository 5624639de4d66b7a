package user

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	maxAccess, maxSecret = 128, 256
	// notInSecret are letters that gateways of some releases decode once more than they
	// were encoded. notInAccess are also those that end an access key in what a request
	// is signed with.
	notInSecret = "+%"
	notInAccess = "/,:=&" + notInSecret
	// hashLength tells the keys of a user apart, and nothing else.
	hashLength = 16
)

// hashOf tells an access key from others without saying it.
func hashOf(access string) string {
	sum := sha256.Sum256([]byte(access))
	return hex.EncodeToString(sum[:])[:hashLength]
}

// given tells whether an access key was given to the user for this object.
func (p *pass) given(access string) bool { return slices.Contains(p.before.KeyHashes, hashOf(access)) }

// readKeys reads the keys that the spec names.
func (p *pass) readKeys(context.Context) (step.Outcome, error) {
	for _, key := range p.user.Spec.Keys {
		access, outcome := p.value(key.AccessKeyRef, maxAccess)
		if !outcome.IsDone() {
			return outcome, nil
		}
		secret, outcome := p.value(key.SecretKeyRef, maxSecret)
		if !outcome.IsDone() {
			return outcome, nil
		}
		if slices.ContainsFunc(p.keys, func(k accesskey.Pair) bool { return k.Access == access }) {
			return step.Retry(refusedRetry, api.ReasonSecretInvalid, fmt.Sprintf(
				"Secret '%s', key '%s': another of `keys` has the same access key", key.AccessKeyRef.Name, key.AccessKeyRef.Key)), nil
		}
		p.keys = append(p.keys, accesskey.Pair{Access: access, Secret: secret})
	}
	return step.Done, nil
}

// value reads one value of a Secret, which must not be longer than most, and hold
// nothing but printable letters.
func (p *pass) value(ref *corev1.SecretKeySelector, most int) (string, step.Outcome) {
	if ref == nil || ref.Name == "" || ref.Key == "" {
		return "", step.Stall(api.ReasonInvalidSpec, "`keys`: each needs accessKeyRef and secretKeyRef with a name and a key")
	}
	secret := p.secrets[ref.Name]
	if secret == nil {
		return "", step.Retry(missingRetry, api.ReasonSecretMissing, fmt.Sprintf("Secret '%s' with a key of the user does not exist", ref.Name))
	}
	text := string(secret.Data[ref.Key])
	if how := malformed(text, most, ""); how != "" {
		return "", invalid(ref, how)
	}
	return text, step.Done
}

func invalid(ref *corev1.SecretKeySelector, how string) step.Outcome {
	return step.Retry(refusedRetry, api.ReasonSecretInvalid, fmt.Sprintf("Secret '%s', key '%s': %s", ref.Name, ref.Key, how))
}

// speakable refuses a key of the spec that gateways would take for another one when they are
// told of it.
func (p *pass) speakable(at int) step.Outcome {
	if at >= len(p.user.Spec.Keys) {
		return step.Done // it was drawn
	}
	refs := p.user.Spec.Keys[at]
	if how := malformed(p.keys[at].Access, maxAccess, notInAccess); how != "" {
		return invalid(refs.AccessKeyRef, how)
	}
	if how := malformed(p.keys[at].Secret, maxSecret, notInSecret); how != "" {
		return invalid(refs.SecretKeyRef, how)
	}
	return step.Done
}

// malformed says what is wrong with a part of a key; empty if nothing is.
func malformed(text string, most int, without string) string {
	switch {
	case text == "":
		return "missing or empty"
	case len(text) > most:
		return fmt.Sprintf("longer than %d letters", most)
	case strings.TrimSpace(text) != text:
		return "begins or ends with white space, such as the end of a line"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(without, r) }):
		return "holds a letter that a key must not have"
	}
	return ""
}

// pairOf is the key that a published Secret holds.
func pairOf(secret *corev1.Secret) accesskey.Pair {
	if secret == nil {
		return accesskey.Pair{}
	}
	return accesskey.Pair{Access: string(secret.Data[names.ObjectUserAccessKey]), Secret: string(secret.Data[names.ObjectUserSecretKey])}
}

// choose says which keys the user shall have, and makes sure that gateways can be told
// of them and nobody else has them.
func (p *pass) choose(ctx context.Context) (step.Outcome, error) {
	if len(p.user.Spec.Keys) == 0 {
		p.keys = []accesskey.Pair{p.chosen()}
	}
	for at, key := range p.keys {
		held, has := p.has(key.Access)
		if has && held.SecretKey == key.Secret {
			continue // gateways are not told of it, whatever letters it holds
		}
		if outcome := p.speakable(at); !outcome.IsDone() {
			return outcome, nil
		}
		if has {
			continue
		}
		found, err := p.gateway.UserWithKey(ctx, key.Access)
		switch {
		case errors.Is(err, ops.ErrNotFound), ops.Code(err) == "InvalidArgument":
		case err != nil:
			return p.heard(err)
		case found.ID != p.user.Name:
			return p.taken(found.ID), nil
		}
	}
	return step.Done, nil
}

// taken says that somebody else has a key. Who, is told only beside the store.
func (p *pass) taken(by string) step.Outcome {
	who := "another user"
	if by != "" && p.user.Namespace == p.user.StoreNamespace() {
		who = "user '" + by + "'"
	}
	return step.Retry(refusedRetry, api.ReasonKeyTaken, fmt.Sprintf(
		"An access key of the user belongs to %s of CephObjectStore '%s'; choose another", who, p.user.Spec.Store))
}

// chosen is the key of a user whose spec names none: what we published, and what a
// person has written in its place; else one that the user has; else a new one.
func (p *pass) chosen() accesskey.Pair {
	shown := pairOf(p.published)
	whole := malformed(shown.Access, maxAccess, notInAccess) == "" && malformed(shown.Secret, maxSecret, notInSecret) == ""
	if whole && (p.live == nil || p.published.Labels[apply.ManagedBy] == Name) {
		return shown
	}
	var candidates []admin.UserKeySpec
	for _, key := range p.own() {
		switch {
		case key.AccessKey == shown.Access:
			return accesskey.Pair{Access: key.AccessKey, Secret: key.SecretKey}
		case p.retires(key.AccessKey):
		case p.given(key.AccessKey):
			candidates = append([]admin.UserKeySpec{key}, candidates...)
		default:
			candidates = append(candidates, key)
		}
	}
	switch {
	case len(candidates) > 0:
		return accesskey.Pair{Access: candidates[0].AccessKey, Secret: candidates[0].SecretKey}
	case whole:
		return shown
	}
	return p.draw()
}

// draw makes a new key, the same one as long as it is not published.
func (p *pass) draw() accesskey.Pair {
	found, _ := p.drawn.LoadOrStore(p.user.UID, accesskey.Draw())
	pair, _ := found.(accesskey.Pair)
	return pair
}

// own are the keys of the user itself, without those of subusers and those that a
// claim has lent it for a moment.
func (p *pass) own() []admin.UserKeySpec {
	if p.live == nil {
		return nil
	}
	var all []admin.UserKeySpec
	for _, key := range p.live.Keys {
		if !strings.Contains(key.User, ":") && !accesskey.IsLent(key.AccessKey) {
			all = append(all, key)
		}
	}
	return all
}

// has finds a key of the user.
func (p *pass) has(access string) (admin.UserKeySpec, bool) {
	own := p.own()
	at := slices.IndexFunc(own, func(k admin.UserKeySpec) bool { return k.AccessKey == access })
	if at < 0 {
		return admin.UserKeySpec{}, false
	}
	return own[at], true
}

// addKeys gives the user the keys that it lacks.
func (p *pass) addKeys(ctx context.Context) (step.Outcome, error) {
	for _, key := range p.keys {
		if found, has := p.has(key.Access); has && found.SecretKey == key.Secret {
			continue
		}
		err := p.gateway.AddKey(ctx, p.user.Name, key.Access, key.Secret)
		if errors.Is(err, ops.ErrExists) {
			return p.taken(""), nil
		}
		if outcome, err := p.heard(err); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	return step.Done, nil
}
