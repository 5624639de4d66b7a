//go:build librados && integration

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonepools"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// program runs radosgw-admin of a cluster with the rights of a setup Job.
func program(t *testing.T, cluster *real.Cluster) rgwadmin.Runner {
	identity := keyring.RGWManager()
	cluster.Identity(identity.Entity, identity.Caps)
	return rgwadmin.Program{
		Argv:    cluster.RadosgwAdminCommand(identity.Entity),
		Rados:   cluster.Command("rados", "-c", cluster.Inside("ceph.conf"), "-n", identity.Entity),
		Timeout: time.Minute, Log: func(line string) { t.Log("radosgw-admin", line) },
	}
}

func keys(ref rgwadmin.KeyRef) (accessKey, secretKey string, err error) {
	return ref.Secret + "-access", ref.Secret + "-secret", nil
}

func apply(t *testing.T, runner rgwadmin.Runner, wanted rgwadmin.Wanted) rgwadmin.Result {
	t.Helper()
	result, err := rgwadmin.Apply(t.Context(), runner, keys, wanted)
	return rgwadmin.Concluded(result, err)
}

func ownStore() rgwadmin.Wanted {
	return rgwadmin.Wanted{
		Realm:     rgwadmin.Realm{Name: "shop"},
		ZoneGroup: &rgwadmin.ZoneGroup{Name: "shop", Hostnames: []string{"s3.example.com"}},
		Zone:      &rgwadmin.Zone{Name: "shop", Endpoints: []string{"http://127.0.0.1:8080"}},
		Users: []rgwadmin.User{{ID: "admin", DisplayName: "An administrator", Caps: "buckets=*;users=*;zone=read",
			Keys: rgwadmin.KeyRef{Secret: "admin", AccessKey: "a", SecretKey: "s"}}},
	}
}

// TestAStoreOfItsOwnIsMadeOnceAndRemovedWhole runs radosgw-admin of every release
// with the rights that a setup Job has.
func TestAStoreOfItsOwnIsMadeOnceAndRemovedWhole(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(1))
			cluster.RGWPools(real.ZonePools("shop")...)
			runner := program(t, cluster)
			wanted := ownStore()

			first := apply(t, runner, wanted)
			if first.Outcome != rgwadmin.Applied || !first.Changed || !first.Master || first.Known.ZoneID == "" {
				t.Fatalf("the first time: %+v", first)
			}
			want := first
			want.Changed = false
			wanted.Known = first.Known
			if diff := cmp.Diff(want, apply(t, runner, wanted)); diff != "" {
				t.Fatalf("the second time something changed: %s", diff)
			}
			wanted.Remove = rgwadmin.RemoveZone
			if gone := apply(t, runner, wanted); gone.Outcome != rgwadmin.Applied {
				t.Fatalf("removal of the zone: %+v", gone)
			}
			wanted.Remove, wanted.Known.ZoneID = rgwadmin.Keep, ""
			next := apply(t, runner, wanted)
			if next.Outcome != rgwadmin.Applied || !next.Master || next.Known.ZoneID == first.Known.ZoneID {
				t.Fatalf("another zone in its place: %+v", next)
			}
			wanted.Known = next.Known
			if again := apply(t, runner, wanted); again.Outcome != rgwadmin.Applied || again.Changed {
				t.Fatalf("the second time something changed: %+v", again)
			}
			wanted.Remove = rgwadmin.RemoveAll
			if gone := apply(t, runner, wanted); gone.Outcome != rgwadmin.Applied {
				t.Fatalf("removal: %+v", gone)
			}
			if again := apply(t, runner, wanted); again.Outcome != rgwadmin.Applied || again.Changed {
				t.Fatalf("removal of nothing: %+v", again)
			}
			out, err := cluster.RadosgwAdmin(t.Context(), "client.admin", "period", "list")
			if err != nil || strings.Contains(string(out), "-") {
				t.Errorf("periods are left: %s, %v", out, err)
			}
		})
	}
}

// TestAZoneInSharedPoolsLeavesThePoolsOfOthersAlone makes two zones in the same
// pools and removes one of them with all that it wrote.
func TestAZoneInSharedPoolsLeavesThePoolsOfOthersAlone(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(1))
			cluster.RGWPools(".rgw.root", "meta", "data")
			runner := program(t, cluster)
			cluster.RadosgwAdminCommand("client.admin")
			rados := func(args ...string) string {
				t.Helper()
				out, err := cluster.Tool(t.Context(), append([]string{"rados", "-c", cluster.Inside("ceph.conf"), "-n", "client.admin", "--no-mon-config"}, args...)...)
				if err != nil {
					t.Fatal(err)
				}
				return string(out)
			}
			sharing := func(name string) rgwadmin.Wanted {
				wanted := ownStore()
				wanted.Realm.Name, wanted.ZoneGroup.Name, wanted.Zone.Name = name, name, name
				zonepools.Place(wanted.Zone, &api.ObjectSharedPoolsSpec{MetadataPoolName: "meta", DataPoolName: "data",
					PoolPlacements: []api.PoolPlacementSpec{{Name: "fast", MetadataPoolName: "meta", DataPoolName: "data",
						StorageClasses: []api.PlacementStorageClassSpec{{Name: "COLD", DataPoolName: "data"}}}}})
				return wanted
			}
			one := sharing("one")
			for _, wanted := range []rgwadmin.Wanted{one, sharing("two")} {
				if made := apply(t, runner, wanted); made.Outcome != rgwadmin.Applied {
					t.Fatalf("%s: %+v", wanted.Zone.Name, made)
				}
				if again := apply(t, runner, wanted); again.Outcome != rgwadmin.Applied || again.Changed {
					t.Fatalf("%s again: %+v", wanted.Zone.Name, again)
				}
			}
			cluster.AddRGW(real.Gateway{ID: "one.a", Realm: "one", ZoneGroup: "one", Zone: "one"})
			for _, zone := range []string{"one", "two"} {
				if !strings.Contains(rados("ls", "--all", "--pool=meta"), zone+".meta.users.uid") {
					t.Errorf("the users of zone %s are not in its namespace", zone)
				}
			}
			cluster.Stop("client.rgw.one.a")
			one.Remove, one.Zone.Purge = rgwadmin.RemoveAll, true
			if gone := apply(t, runner, one); gone.Outcome != rgwadmin.Applied {
				t.Fatalf("removal: %+v", gone)
			}
			left := rados("ls", "--all", "--pool=meta") + rados("ls", "--all", "--pool=data")
			if strings.Contains(left, "one.") || !strings.Contains(left, "two.meta.users.uid") {
				t.Errorf("after the removal of one there is:\n%s", left)
			}
			if out := rados("lspools"); strings.Contains(out, ".rgw.log") {
				t.Errorf("pools were made: %s", out)
			}
		})
	}
}
