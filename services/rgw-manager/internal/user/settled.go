package user

import (
	"hash/fnv"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ready"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// mark is what a settled user was compared with.
type mark struct {
	generation, store int64
	storeUID          types.UID
	ready             bool
}

// view is a settled user with the versions of the Secrets it was made from.
type view struct {
	mark     mark
	status   api.CephObjectStoreUserStatus
	versions map[string]string
	until    time.Time
}

func (p *pass) mark() mark {
	m := mark{generation: p.user.Generation}
	if p.store != nil {
		m.store, m.storeUID, m.ready = p.store.Generation, p.store.UID, ready.Store(p.store)
	}
	return m
}

// versions are those of the Secrets as they were read in this pass.
func (p *pass) versions() map[string]string {
	all := map[string]string{}
	for name, secret := range p.secrets {
		all[name] = string(secret.UID) + "/" + secret.ResourceVersion
	}
	if p.published != nil {
		all[""] = string(p.published.UID) + "/" + p.published.ResourceVersion
	}
	return all
}

// settledFor is the status of a settled user and how long nothing needs to be
// compared; 0 when something does.
func (p *pass) settledFor() (api.CephObjectStoreUserStatus, time.Duration) {
	found, ok := p.known.Load(p.user.UID)
	known, isView := found.(*view)
	if !ok || !isView || known.mark != p.mark() || !maps.Equal(known.versions, p.versions()) {
		return api.CephObjectStoreUserStatus{}, 0
	}
	return known.status, known.until.Sub(p.Clock.Now())
}

// settle remembers what was found and said, and returns when to compare again: at the next
// review, or when a key is to go.
func (p *pass) settle() time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.user.UID)) // never fails
	left := review - time.Duration(h.Sum32()%uint32(spread/time.Second))*time.Second
	for _, key := range p.now.RetiringKeys {
		left = min(left, max(time.Second, key.Since.Add(Overlap).Sub(p.Clock.Now())))
	}
	p.known.Store(p.user.UID, &view{mark: p.mark(), status: p.said, versions: p.versions(), until: p.Clock.Now().Add(left)})
	return left
}

// sooner is when to look again: earlier where Secrets of a person may change.
func (p *pass) sooner(left time.Duration) time.Duration {
	if len(p.user.Spec.Keys) > 0 {
		return min(left, keyRecheck)
	}
	return left
}
