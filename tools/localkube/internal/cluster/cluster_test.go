package cluster

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
	"github.com/rook-ceph/rook-ceph/tools/pinned/recipe"
)

func request() Request {
	return Request{Name: "default", Nodes: 1, Disks: 3, DiskBytes: 10 << 30, Kubeconfig: "/repo/.local/kubeconfig"}
}

func TestResolve(t *testing.T) {
	existing, err := Resolve(request(), "/state/default", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		change  func(*Request)
		refusal string
	}{
		"the same again is the same":       {func(*Request) {}, ""},
		"what is not said stays":           {func(r *Request) { r.Nodes, r.Disks, r.DiskBytes = Unset, Unset, Unset }, ""},
		"nodes may be added":               {func(r *Request) { r.Nodes = 3 }, ""},
		"disks may be added":               {func(r *Request) { r.Disks = 4 }, ""},
		"nodes may not be taken away":      {func(r *Request) { r.Nodes = 0 }, "nodes 1"},
		"disks may not be taken away":      {func(r *Request) { r.Disks = 2 }, "disks 3"},
		"disks keep their size":            {func(r *Request) { r.DiskBytes = 1 << 30 }, "disks of bytes"},
		"the network stays":                {func(r *Request) { r.Network = netip.MustParseAddr("10.9.0.0") }, "network"},
		"zones stay":                       {func(r *Request) { r.Zones = true }, "zones"},
		"the audit log stays":              {func(r *Request) { r.Audit = true }, "audit"},
		"growth is limited like a new one": {func(r *Request) { r.Nodes = 9 }, "nodes 9"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			asked := request()
			test.change(&asked)
			got, err := Resolve(asked, "/state/default", &existing, 5)
			if test.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), test.refusal) {
					t.Fatalf("Resolve = %v, want a refusal that names %q", err, test.refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			asked = asked.or(1, 3, 10<<30)
			if got.Slot != existing.Slot || got.Network != existing.Network || got.Nodes != asked.Nodes || got.Disks != asked.Disks {
				t.Errorf("Resolve = %+v, want %+v grown to %+v", got, existing, asked)
			}
		})
	}
}

func TestFreeSlot(t *testing.T) {
	clusters := []layout.Cluster{{Slot: 0}, {Slot: 2}}
	cases := map[string]struct {
		owners map[int]string
		want   int
	}{
		"the slot of a removed cluster is used again":         {nil, 1},
		"a slot of another store is left alone":               {map[int]string{1: "/elsewhere/default"}, 3},
		"a cluster whose description is lost keeps its place": {map[int]string{4: "/state/default"}, 4},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := FreeSlot(clusters, test.owners, "/state/default"); got != test.want {
				t.Errorf("FreeSlot = %d, want %d", got, test.want)
			}
		})
	}
}

func TestAMachineIsStartedAgainOnlyForWhatItCannotChangeWhileItRuns(t *testing.T) {
	r := &run{
		Tool:    &Tool{},
		cluster: layout.Cluster{Name: "default", State: t.TempDir(), Network: layout.DefaultNetwork(0), Nodes: 2, Disks: 3, DiskBytes: 1 << 30},
		programs: map[string]recipe.Built{
			"kube": {Directory: "/cache/kube-1"}, "containerd": {Directory: "/cache/containerd-1"}, "etcd": {Directory: "/cache/etcd-1"},
		},
	}
	before, err := r.spec("node1")
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Save(); err != nil {
		t.Fatal(err)
	}
	saved, err := machine.Load(before.Directory)
	if err != nil {
		t.Fatal(err)
	}
	same := func(why string, want bool) {
		t.Helper()
		now, err := r.spec("node1")
		if err != nil {
			t.Fatal(err)
		}
		if got := unchanged(saved, now); got != want {
			t.Errorf("%s: unchanged = %t, want %t", why, got, want)
		}
	}
	same("nothing changed", true)
	r.cluster.Disks = 5
	same("disks were added", true)
	r.cluster.Nodes = 3
	same("a node was added", true)
	r.programs["kube"] = recipe.Built{Directory: "/cache/kube-2"}
	same("Kubernetes was built again", false)
}

func TestRemovedDisksStayRemovedAndAddedOnesStay(t *testing.T) {
	r := &run{cluster: layout.Cluster{Name: "default", State: t.TempDir(), Nodes: 1, Disks: 3}}
	for _, file := range []string{r.removedMark(1, 2), r.cluster.DiskFile(1, 1), r.cluster.DiskFile(1, 4)} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{1, 3, 4}, r.disks(1)); diff != "" {
		t.Errorf("disks differ (-want +got):\n%s", diff)
	}
}

func TestStoreKeepsWhatItIsGiven(t *testing.T) {
	store := Store{Root: t.TempDir()}
	want, err := Resolve(request(), store.state("default"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Save(want); err != nil {
		t.Fatal(err)
	}
	got, ok, err := store.Open("default")
	if err != nil || !ok || got != want {
		t.Errorf("Open = %+v, %t, %v, want %+v", got, ok, err, want)
	}
	if _, ok, err := store.Open("other"); ok || err != nil {
		t.Errorf("Open of an unknown cluster = %t, %v", ok, err)
	}
	all, err := store.List()
	if err != nil || len(all) != 1 {
		t.Errorf("List = %v, %v, want one cluster", all, err)
	}
}

func TestADamagedDescriptionSaysHowToGoOn(t *testing.T) {
	store := Store{Root: t.TempDir()}
	if err := os.MkdirAll(store.state("default"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(store.state("default"), "cluster.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Open("default"); err == nil || !strings.Contains(err.Error(), "localkube down --name default") {
		t.Errorf("Open = %v, want the command that helps", err)
	}
}

func TestAwaitReportsWhatWasMissing(t *testing.T) {
	missing := errors.New("node1 sleeps")
	calls := 0
	err := await(context.Background(), "a node", 10*time.Second, func(context.Context) error {
		calls++
		if calls < 3 {
			return missing
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("await = %v after %d calls, want success after 3", err, calls)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := await(ended, "a node", time.Minute, func(context.Context) error { return missing }); !errors.Is(err, missing) {
		t.Errorf("await = %v, want what was missing", err)
	}
}

func TestMountsBelowFindsOnlyWhatLiesInside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mountinfo")
	content := "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n" +
		"2 1 0:5 / /state/default/a rw - tmpfs x rw\n" +
		"3 1 0:6 / /state/default2 rw - tmpfs x rw\n" +
		"4 2 0:7 / /state/default/a/b rw - fuse x rw\n"
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := mountsBelow(file, "/state/default")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/state/default/a", "/state/default/a/b"}, got); diff != "" {
		t.Errorf("mounts differ (-want +got):\n%s", diff)
	}
}

func TestClientAddressReadsWhatTheKernelWrites(t *testing.T) {
	if got := clientAddress("10.180.0.11:0/123456\n"); got != netip.MustParseAddr("10.180.0.11") {
		t.Errorf("clientAddress = %v", got)
	}
	if got := clientAddress("nonsense"); got.IsValid() {
		t.Errorf("clientAddress of nonsense = %v, want none", got)
	}
}
