//go:build librados && integration

package librados_test

import (
	"encoding/json"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// TestAGatewayServesTheZoneThatWasMadeForIt starts a gateway of every release in
// a realm of its own, with no more capabilities than ours have.
func TestAGatewayServesTheZoneThatWasMadeForIt(t *testing.T) {
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(1))
			cluster.RGWPools(real.ZonePools("shop")...)
			admin := func(args ...string) []byte {
				t.Helper()
				out, err := cluster.RadosgwAdmin(t.Context(), "client.admin", args...)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			admin("realm", "create", "--rgw-realm=shop")
			admin("zonegroup", "create", "--rgw-realm=shop", "--rgw-zonegroup=shop", "--master")
			admin("zone", "create", "--rgw-realm=shop", "--rgw-zonegroup=shop", "--rgw-zone=shop", "--master")
			admin("period", "update", "--commit", "--rgw-realm=shop", "--rgw-zonegroup=shop", "--rgw-zone=shop")
			cluster.AddRGW(real.Gateway{ID: "shop.a", Realm: "shop", ZoneGroup: "shop", Zone: "shop"})

			var period struct {
				MasterZone string `json:"master_zone"`
			}
			if err := json.Unmarshal(admin("period", "get", "--rgw-realm=shop"), &period); err != nil || period.MasterZone == "" {
				t.Errorf("the period has the master zone %q, %v", period.MasterZone, err)
			}
		})
	}
}
