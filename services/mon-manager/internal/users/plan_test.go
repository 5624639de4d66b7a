package users

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

func cluster() *api.CephCluster {
	return &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "my-cluster"}}
}

func TestEveryServiceAndDriverHasItsOwnSecret(t *testing.T) {
	var got []string
	for _, w := range Wanted(cluster()) {
		got = append(got, w.secret+" "+w.Entity)
	}
	want := []string{
		"rook-ceph-mon-manager-keyring client.rook-mon-manager",
		"rook-ceph-osd-manager-keyring client.rook-osd-manager",
		"rook-ceph-mds-manager-keyring client.rook-mds-manager",
		"rook-ceph-rgw-manager-keyring client.rook-rgw-manager",
		"rook-ceph-provisioner-keyring client.rook-provisioner",
		"rook-csi-cephfs-node client.csi-cephfs-node",
		"rook-csi-cephfs-provisioner client.csi-cephfs-provisioner",
		"rook-csi-rbd-node client.csi-rbd-node",
		"rook-csi-rbd-provisioner client.csi-rbd-provisioner",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	skipping := cluster()
	skipping.Spec.CSI.SkipUserCreation = true
	if got := Wanted(skipping); len(got) != 5 {
		t.Errorf("%d users with skipUserCreation, want those of the services only", len(got))
	}
}

func TestDecide(t *testing.T) {
	identity := keyring.Identity{Entity: "client.x", Caps: keyring.Caps{"mon": "allow r"}}
	for name, test := range map[string]struct {
		known []ceph.AuthUser
		want  Change
	}{
		"creates_a_new_user":           {nil, Create},
		"leaves_a_user_alone":          {[]ceph.AuthUser{{Entity: "client.x", Caps: map[string]string{"mon": "allow r"}}}, Fine},
		"takes_a_right_away":           {[]ceph.AuthUser{{Entity: "client.x", Caps: map[string]string{"mon": "allow r", "osd": "allow *"}}}, Recap},
		"gives_a_right_back":           {[]ceph.AuthUser{{Entity: "client.x", Caps: map[string]string{}}}, Recap},
		"does_not_mistake_one_by_name": {[]ceph.AuthUser{{Entity: "client.xx", Caps: map[string]string{"mon": "allow r"}}}, Create},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := Decide(identity, test.known); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestSecretsHaveTheFormThatTheirReadersExpect(t *testing.T) {
	for _, w := range Wanted(cluster()) {
		key := keyring.Key{Entity: w.Entity, Secret: "secret"}
		data := w.object("ns", key).Data
		switch {
		case !w.csi:
			if !strings.Contains(string(data["keyring"]), "["+w.Entity+"]") {
				t.Errorf("%s: no keyring", w.secret)
			}
		case string(data["userID"]) != strings.TrimPrefix(w.Entity, "client.") || string(data["userKey"]) != "secret":
			t.Errorf("%s: userID %q", w.secret, data["userID"])
		case strings.Contains(w.secret, "cephfs") != (data["adminID"] != nil):
			t.Errorf("%s: adminID %q", w.secret, data["adminID"])
		}
	}
}
