package identity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func minted(t *testing.T) Identity {
	t.Helper()
	id, err := Mint(strings.NewReader("0123456789abcdefABCDEFGHIJKLMNOPponmlkjihgfedcba"), time.Unix(1700000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestMintedIdentityIsReadBack(t *testing.T) {
	id := minted(t)
	secret := &corev1.Secret{Data: map[string][]byte{
		KeyFSID: []byte(id.FSID), KeyMonSecret: []byte(id.Mon.Secret), KeyCephUsername: []byte(id.Admin.Entity), KeyCephSecret: []byte(id.Admin.Secret),
	}}
	got, broken := FromSecret(secret)
	if got != id || len(broken) != 0 {
		t.Errorf("read %v with %v broken, want %v", got, broken, id)
	}
	if id.Mon.Secret == id.Admin.Secret {
		t.Error("both keys are the same")
	}
	for key := range secret.Data {
		damaged := secret.DeepCopy()
		delete(damaged.Data, key)
		if _, broken := FromSecret(damaged); len(broken) != 1 || broken[0] != key {
			t.Errorf("without %s: %v are broken", key, broken)
		}
	}
}

func TestTooLittleRandomnessIsRefused(t *testing.T) {
	if _, err := Mint(strings.NewReader("0123456789abcdef0123456789abcdef"), time.Unix(0, 0)); err == nil {
		t.Error("an identity was minted from too little randomness")
	}
}

// TestNothingButNothingIsANewCluster deletes every subset of what speaks of a
// cluster. As long as anything is left, nothing is minted; and whenever the
// Secret is gone the message says so.
func TestNothingButNothingIsANewCluster(t *testing.T) {
	const traces = 7
	id := minted(t)
	for mask := range 1 << traces {
		has := func(bit int) bool { return mask&(1<<bit) != 0 }
		seen := Seen{Members: has(1)}
		if has(0) {
			seen.Secret, seen.Known = true, id
		}
		if has(2) {
			seen.StatusFSID = id.FSID
		}
		if has(3) {
			seen.Daemons = []string{"rook-ceph-mon-a"}
		}
		if has(4) {
			seen.Keyrings = []string{"rook-ceph-mons-keyring"}
		}
		if has(5) {
			seen.OSDs = []string{"rook-ceph-osd-0"}
		}
		if has(6) {
			seen.Labels = map[string]string{"n1-abc": id.FSID}
		}
		action, message := Decide(seen)
		t.Run(fmt.Sprintf("%07b", mask), func(t *testing.T) { check(t, mask, seen, action, message) })
	}
}

func check(t *testing.T, mask int, seen Seen, action Action, message string) {
	t.Helper()
	switch {
	case mask == 0 && action != New:
		t.Errorf("nothing speaks of a cluster, but the action is %v: %s", action, message)
	case mask != 0 && action == New:
		t.Errorf("an identity is minted although %+v", seen)
	case seen.Secret && seen.Members && action != Keep:
		t.Errorf("a whole identity is refused: %s", message)
	case mask != 0 && !seen.Secret && (action != Refuse || !strings.Contains(message, "Secret rook-ceph-mon is missing") || !strings.Contains(message, "estore the Secret")):
		t.Errorf("action %v, message %q: must stop and say what is missing and how to bring it back", action, message)
	case seen.Secret && !seen.Members && action != Refuse:
		t.Errorf("members are lost and the action is %v", action)
	}
}

func TestDecide(t *testing.T) {
	id := minted(t)
	for name, test := range map[string]struct {
		seen Seen
		want Action
		says string
	}{
		"keeps_what_an_interrupted_pass_minted":        {Seen{Secret: true, Ours: true, Known: id}, Keep, ""},
		"refuses_a_secret_of_another_cluster":          {Seen{Secret: true, Members: true, Known: id, StatusFSID: "other"}, Refuse, "other"},
		"refuses_a_secret_with_a_broken_key":           {Seen{Secret: true, Members: true, Known: id, Broken: []string{KeyMonSecret}}, Refuse, KeyMonSecret},
		"refuses_disks_of_another_cluster":             {Seen{Labels: map[string]string{"n1-x": "f"}}, Refuse, "wipe the disks"},
		"takes_disks_over_when_the_user_allows_it":     {Seen{Labels: map[string]string{"n1-x": "f"}, TakeOver: true}, New, ""},
		"refuses_when_only_the_members_are_lost":       {Seen{Secret: true, Ours: true, Known: id, Daemons: []string{"rook-ceph-mon-a"}}, Refuse, "rook-ceph-mon-endpoints"},
		"refuses_a_secret_that_an_earlier_object_left": {Seen{Secret: true, Known: id}, Refuse, "rook-ceph-mon-endpoints"},
	} {
		t.Run(name, func(t *testing.T) {
			action, message := Decide(test.seen)
			if action != test.want || !strings.Contains(message, test.says) {
				t.Errorf("got %v %q, want %v with %q", action, message, test.want, test.says)
			}
		})
	}
}

func TestOnlyDisksOfSelectedNodesSpeakOfACluster(t *testing.T) {
	storage := &api.StorageScopeSpec{Nodes: []api.Node{{Name: "n1"}}}
	if !selects(storage, "n1") || selects(storage, "n2") || !selects(&api.StorageScopeSpec{UseAllNodes: true}, "n2") {
		t.Error("nodes are selected by name or all")
	}
	one := int32(1)
	disk := &inventory.CephDisk{Status: inventory.CephDiskStatus{Selection: &inventory.DiskSelection{
		Cluster: inventory.ClusterReference{Namespace: "elsewhere"}, OSDID: &one,
	}}}
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph"}}
	if !claimed(disk, cluster) {
		t.Error("an OSD of a living cluster in another namespace blocks this one")
	}
}

func TestNodesWhoseDisksNobodyReportedAreNamed(t *testing.T) {
	ready := corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}
	node := func(name string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: ready}
	}
	down, tainted := node("n3"), node("n4")
	down.Status = corev1.NodeStatus{}
	tainted.Spec.Taints = []corev1.Taint{{Key: "control-plane", Effect: corev1.TaintEffectNoSchedule}}
	disk := &inventory.CephDisk{ObjectMeta: metav1.ObjectMeta{Name: "n1-x"}, Status: inventory.CephDiskStatus{Node: "n1"}}
	kube := testenv.Fake(t, node("n1"), node("n2"), down, tainted, disk).Build()
	for name, test := range map[string]struct {
		storage api.StorageScopeSpec
		want    string
	}{
		"that_may_get_OSDs": {api.StorageScopeSpec{UseAllNodes: true}, "n2"},
		"none_when_all_are": {api.StorageScopeSpec{Nodes: []api.Node{{Name: "n1"}}}, ""},
		"none_without_OSDs": {api.StorageScopeSpec{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph"}}
			cluster.Spec.Storage = test.storage
			seen, err := Observe(t.Context(), kube, cluster, false)
			if got := strings.Join(seen.Silent, " "); err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
			if action, _ := Decide(seen); action != New {
				t.Errorf("silence speaks of a cluster: %v", action)
			}
		})
	}
}
