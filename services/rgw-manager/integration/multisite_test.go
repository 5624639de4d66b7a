//go:build librados && integration

package integration_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/ceph/go-ceph/rgw/admin"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// site is one cluster with one zone of realm earth, and a store that serves it.
type site struct {
	*rig
	zone, url string
}

// newSite makes the realm, or takes it over from another site.
func newSite(t *testing.T, release, zone string, from *site) *site {
	t.Helper()
	port, err := real.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{zone: zone, url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "u-1", Generation: 1}
	}
	small := api.PoolSpec{FailureDomain: "osd", Replicated: api.ReplicatedSpec{Size: 1}, Parameters: map[string]string{"pg_num": "1", "pg_num_min": "1", "pg_autoscale_mode": "off"}}
	realm := &api.CephObjectRealm{ObjectMeta: meta("earth")}
	served := &api.CephObjectStore{ObjectMeta: meta("my-store"), Spec: api.ObjectStoreSpec{Zone: &api.ZoneSpec{Name: zone}}}
	served.Spec.Gateway.Port = 80
	objs := []client.Object{
		realm, served,
		&api.CephObjectZoneGroup{ObjectMeta: meta("europe"), Spec: api.ObjectZoneGroupSpec{Realm: "earth"}},
		&api.CephObjectZone{ObjectMeta: meta(zone), Spec: api.ObjectZoneSpec{
			ZoneGroup: "europe", MetadataPool: &small, DataPool: &small, CustomEndpoints: []string{s.url},
			PreservePoolsOnDelete: ptr.To(false)}},
	}
	if from != nil {
		keys := &corev1.Secret{}
		from.check(from.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "earth-keys"}, keys))
		realm.Spec.Pull = &api.PullSpec{Endpoint: from.url}
		objs = append(objs, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: keys.Name}, Data: keys.Data})
	}
	const soon = "2" // seconds; gateways look every 20 by themselves
	s.rig = newRigOf(t, real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(1),
		real.Setting("global", "mon_allow_pool_size_one", "true"),
		real.Setting("global", "rgw_data_sync_poll_interval", soon), real.Setting("global", "rgw_meta_sync_poll_interval", soon)), objs...)
	s.ports["my-store"] = port
	return s
}

// as is S3 of the site as a user of the realm.
func (s *site) as(key admin.UserKeySpec) *s3.Client {
	s.t.Helper()
	found, outcome, err := s.gates.Client(s.t.Context(), s.store())
	if err != nil || !outcome.IsDone() {
		s.t.Fatalf("%+v, %v", outcome, err)
	}
	return found.As(key.AccessKey, key.SecretKey)
}

func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	begin := time.Now()
	ticker, deadline := time.NewTicker(500*time.Millisecond), time.After(patience)
	defer ticker.Stop()
	for {
		err := check(t.Context())
		if err == nil {
			t.Logf("%s after %s", what, time.Since(begin).Round(10*time.Millisecond))
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		case <-ticker.C:
		}
	}
}

func read(ctx context.Context, from *s3.Client, key string) (string, error) {
	got, err := from.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("photos"), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	return string(body), err
}

// TestTwoZonesOfARealmHoldTheSameObjects runs two clusters, of which the second takes
// the realm over from the first.
func TestTwoZonesOfARealmHoldTheSameObjects(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			first := newSite(t, release, "paris", nil)
			first.await("the first zone is served", first.ready)
			second := newSite(t, release, "rome", first)
			second.await("the second zone is served", second.ready)

			administration, _, err := first.gates.Client(ctx, first.store())
			first.check(err)
			user, err := administration.CreateUser(ctx, admin.User{ID: "alice", DisplayName: "Alice"})
			first.check(err)
			here, there := first.as(user.Keys[0]), second.as(user.Keys[0])
			_, err = here.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("photos")})
			first.check(err)
			for key, one := range map[string]struct{ to, from *s3.Client }{"of-paris": {here, there}, "of-rome": {there, here}} {
				eventually(t, "written "+key, func(ctx context.Context) error {
					_, err := one.to.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("photos"), Key: aws.String(key), Body: strings.NewReader(key)})
					return err
				})
				eventually(t, "copied "+key, func(ctx context.Context) error {
					got, err := read(ctx, one.from, key)
					if err == nil && got != key {
						t.Errorf("%q was copied, want %q", got, key)
					}
					return err
				})
			}

			first.catchesUp("data rome")
			second.catchesUp("metadata paris", "data paris")
			first.refusesToRemoveTheMaster()
			second.end()
			first.end()
		})
	}
}

// catchesUp wants the zone to have all that these sources have.
func (s *site) catchesUp(sources ...string) {
	s.t.Helper()
	var seen *api.ObjectSyncStatus
	defer func() { s.t.Logf("%s: %+v", s.zone, seen) }()
	s.await(s.zone+" has caught up", func() bool {
		found := &api.CephObjectZone{}
		s.check(s.kube.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: s.zone}, found))
		seen = found.Status.Sync
		if seen == nil || seen.State != api.ObjectSyncCaughtUp {
			return false
		}
		var list []string
		for _, source := range seen.Sources {
			list = append(list, source.Kind+" "+source.Zone)
		}
		return slices.Equal(list, sources)
	})
}

// refusesToRemoveTheMaster wants a zone that others follow to be kept, even if nothing
// serves it.
func (s *site) refusesToRemoveTheMaster() {
	s.t.Helper()
	refused := s.apply(rgwadmin.Wanted{Realm: rgwadmin.Realm{Name: "earth"}, ZoneGroup: &rgwadmin.ZoneGroup{Name: "europe"},
		Zone: &rgwadmin.Zone{Name: s.zone}, Remove: rgwadmin.RemoveZone})
	if refused.Outcome != rgwadmin.Refused || refused.Reason != "MasterZone" || refused.Changed {
		s.t.Errorf("removal of the master: %+v", refused)
	}
}

// end deletes all objects of the site at once, and wants Ceph to be as it was before.
func (s *site) end() {
	s.t.Helper()
	ctx, all := s.t.Context(), []client.Object{&api.CephObjectRealm{}, &api.CephObjectZoneGroup{}, &api.CephObjectZone{}, &api.CephObjectStore{}}
	for i, name := range []string{"earth", "europe", s.zone, "my-store"} {
		all[i].SetNamespace(namespace)
		all[i].SetName(name)
		s.check(s.kube.Delete(ctx, all[i]))
	}
	s.await(s.zone+" is gone", func() bool {
		for _, one := range all {
			if err := s.kube.Get(ctx, client.ObjectKeyFromObject(one), one); !apierrors.IsNotFound(err) {
				return false
			}
		}
		return true
	})
	s.nothingLeft()
}
