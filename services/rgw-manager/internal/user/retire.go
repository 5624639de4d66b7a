package user

import (
	"context"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/accesskey"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// maxRetiring is how many keys the status holds that are to go.
const maxRetiring = 32

// retires tells whether a key is about to go.
func (p *pass) retires(access string) bool { return p.retiring(access) != nil }

func (p *pass) retiring(access string) *api.ObjectUserRetiringKey {
	at := slices.IndexFunc(p.before.RetiringKeys, func(k api.ObjectUserRetiringKey) bool { return k.Hash == hashOf(access) })
	if at < 0 {
		return nil
	}
	return &p.before.RetiringKeys[at]
}

// retire notes which keys were replaced, and takes them from the user once Overlap has
// passed since that was published. Keys that somebody else gave to the user stay,
// unless the spec lists all keys.
func (p *pass) retire(ctx context.Context) (step.Outcome, error) {
	now := metav1.NewTime(p.Clock.Now().UTC().Truncate(time.Second))
	var left []api.ObjectUserRetiringKey
	hashes := p.hashes()
	for _, key := range p.own() {
		unwanted := !slices.ContainsFunc(p.keys, func(k accesskey.Pair) bool { return k.Access == key.AccessKey })
		if !unwanted || len(p.user.Spec.Keys) == 0 && !p.given(key.AccessKey) || len(left) == maxRetiring {
			continue
		}
		noted := p.retiring(key.AccessKey)
		if noted != nil && !now.Before(&metav1.Time{Time: noted.Since.Add(Overlap)}) {
			if outcome, err := p.heard(p.gateway.RemoveKey(ctx, p.user.Name, key.AccessKey)); err != nil || !outcome.IsDone() {
				return outcome, err
			}
			continue
		}
		if noted == nil {
			noted = &api.ObjectUserRetiringKey{Hash: hashOf(key.AccessKey), Since: now}
		}
		left = append(left, *noted)
		if p.given(key.AccessKey) {
			hashes = append(hashes, noted.Hash)
		}
	}
	slices.SortFunc(left, func(a, b api.ObjectUserRetiringKey) int { return strings.Compare(a.Hash, b.Hash) })
	slices.Sort(hashes)
	p.now.RetiringKeys, p.now.KeyHashes = left, slices.Compact(hashes)
	return step.Done, nil
}

// hashes are those of the keys that the user shall have.
func (p *pass) hashes() []string {
	var all []string
	for _, key := range p.keys {
		all = append(all, hashOf(key.Access))
	}
	slices.Sort(all)
	return all
}
