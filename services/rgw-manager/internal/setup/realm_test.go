package setup_test

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/store"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/syncstate"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// realm is what Jobs have set up. It works as they do: what is asked for is there a
// while later.
type realm struct {
	mu sync.Mutex
	// wishes are those that were made true, in order; asked is the one under way.
	wishes []store.Wish
	asked  *store.Wish
	// refusal is why a Job fails.
	refusal string
	// late is a bucket that only a Job that removes the realm sees.
	late string
}

func hash(wish store.Wish) string {
	body, _ := json.Marshal(wish)
	return gateway.Fingerprint(map[string]string{"wish": string(body)})
}

// Ensure implements store.Setup.
func (r *realm) Ensure(_ context.Context, _ *api.CephCluster, obj *api.CephObjectStore, wish store.Wish) (api.ObjectSetupStatus, step.Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if obj.Status != nil && obj.Status.Setup != nil && obj.Status.Setup.Hash == hash(wish) {
		return *obj.Status.Setup, step.Done, nil
	}
	if r.refusal != "" {
		return api.ObjectSetupStatus{}, step.Stall(api.ReasonSetupFailed, r.refusal), nil
	}
	if wish.Gone && r.late != "" {
		return api.ObjectSetupStatus{}, step.Retry(50*time.Millisecond, api.ReasonBucketsExist, "zone my-store holds "+r.late), nil
	}
	last := len(r.wishes) - 1
	if last >= 0 && hash(r.wishes[last]) == hash(wish) {
		return api.ObjectSetupStatus{Hash: hash(wish), RealmID: "r", ZoneGroupID: "g", ZoneID: "z"}, step.Done, nil
	}
	r.asked = &wish
	return api.ObjectSetupStatus{}, step.Retry(50*time.Millisecond, api.ReasonSettingUp, "Waiting for the Job that sets up the realm"), nil
}

// play lets the Job finish, and tells whether there was one. Check sees what it does.
func (r *realm) play(check func(store.Wish)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked == nil {
		return false
	}
	check(*r.asked)
	r.wishes, r.asked = append(r.wishes, *r.asked), nil
	return true
}

// gates are the gateways of all stores. One answers while a pod of its store runs.
type gates struct {
	mu sync.Mutex
	// runs tells whether a gateway of the store runs.
	runs func(store string) bool
	// buckets by store.
	buckets map[string][]string
	// mute gateways answer nobody.
	mute bool
	// asked counts requests.
	asked int
}

func (g *gates) answer(obj *api.CephObjectStore) step.Outcome {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	if g.mute || !obj.Spec.Gateway.External() && !g.runs(obj.Name) {
		return step.Retry(50*time.Millisecond, api.ReasonGatewayUnreachable, "No gateway answers")
	}
	return step.Done
}

// Ping implements store.Gateways.
func (g *gates) Ping(_ context.Context, obj *api.CephObjectStore) (step.Outcome, error) {
	return g.answer(obj), nil
}

// Buckets implements store.Gateways.
func (g *gates) Buckets(_ context.Context, obj *api.CephObjectStore) ([]string, step.Outcome, error) {
	return g.buckets[obj.Name], g.answer(obj), nil
}

// Forget implements store.Gateways.
func (g *gates) Forget(types.NamespacedName) {}

// sights is how far zones have got with copying.
type sights struct {
	now    syncstate.Sight
	silent bool
	// asked counts looks, and by which store and of which zone the last one was.
	asked       int
	store, zone string
}

// Look implements zone.Sights.
func (s *sights) Look(_ context.Context, store *api.CephObjectStore, zoneID string) (syncstate.Sight, step.Outcome, error) {
	s.asked++
	s.store, s.zone = store.Name, zoneID
	if s.silent {
		return syncstate.Sight{}, step.None, errCrash
	}
	return s.now, step.Done, nil
}
