package setup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// threeNodes is a settled cluster of three nodes, the first with two OSDs, and a
// pool with a replica on each node.
func threeNodes(t *testing.T) *world {
	w := newWorld(t, 2)
	w.playing = true
	for _, node := range []string{"node2", "node3"} {
		w.check(w.kube.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node, Labels: map[string]string{names.LabelHostname: node}},
			Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}))
		disk := blankDisk(0)
		disk.Name, disk.Status.Node, disk.Status.StableID = node+"-"+disk.Status.Device, node, "wwn:"+node+disk.Status.Device
		w.check(w.kube.Create(t.Context(), disk))
	}
	w.playing = false
	w.edit(func(c *api.CephCluster) { c.Spec.DisruptionManagement.ManagePodBudgets = true })
	w.settle()
	ctx, conn := t.Context(), w.ceph.Client()
	w.check(conn.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "byhost", Root: "default", FailureDomain: "host"}))
	w.check(conn.PoolCreate(ctx, ceph.PoolSpec{Name: "p", PGNum: 16, Size: 3, Rule: "byhost"}, ceph.Unconfirmed))
	w.settle()
	return w
}

func (w *world) cordon(name string, unschedulable bool) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	node := &corev1.Node{}
	w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Name: name}, node))
	node.Spec.Unschedulable = unschedulable
	w.check(w.kube.Update(w.t.Context(), node))
}

// on are the numbers of the OSDs of a node, lowest first.
func (w *world) on(node string) []string {
	var ids []string
	for _, osd := range w.osds() {
		if osd.Spec.Node == node {
			ids = append(ids, fleet.ID(&osd))
		}
	}
	slices.Sort(ids)
	return ids
}

// run starts or stops the pod of an OSD.
func (w *world) run(id string, running bool) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	d := &appsv1.Deployment{}
	w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: names.OSD(id)}, d))
	number := 0
	_, err := fmt.Sscan(id, &number)
	w.check(err)
	if running {
		w.ceph.ReturnOSD(number)
		d.Status.AvailableReplicas, d.Status.UnavailableReplicas, d.Status.Conditions = 1, 0, w.availability(corev1.ConditionTrue)
	} else {
		w.ceph.LoseOSD(number)
		d.Status.AvailableReplicas, d.Status.UnavailableReplicas, d.Status.Conditions = 0, 1, w.availability(corev1.ConditionFalse)
	}
	w.check(w.kube.Status().Update(w.t.Context(), d))
}

// budgets are the names of the budgets with the evictions that they allow, and
// the hosts with the flag noout.
func (w *world) budgets() []string {
	w.t.Helper()
	var list policyv1.PodDisruptionBudgetList
	w.check(w.kube.List(w.t.Context(), &list))
	var found []string
	for _, one := range list.Items {
		found = append(found, one.Name+"="+one.Spec.MaxUnavailable.String())
	}
	osdmap, err := w.ceph.Client().OSDDump(w.t.Context())
	w.check(err)
	for host, flags := range osdmap.CrushNodeFlags {
		found = append(found, strings.Join(append([]string{host}, flags...), " "))
	}
	slices.Sort(found)
	return found
}

func (w *world) wantBudgets(when string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.budgets()); diff != "" {
		w.t.Fatalf("%s: %s", when, diff)
	}
}

// passes lets the service look a few times, the last of them without a write.
func (w *world) passes() {
	w.t.Helper()
	for range 3 {
		w.check(w.pass())
	}
	written, sent := w.writes, w.ceph.Writes()
	w.check(w.pass())
	if w.writes != written || w.ceph.Writes() != sent {
		w.t.Fatalf("%d writes, and %d to Ceph, while nothing changes:\n%s", w.writes-written, w.ceph.Writes()-sent, strings.Join(w.last, "\n"))
	}
}

const (
	common  = "rook-ceph-osd=1"
	second  = "rook-ceph-osd-host-node2=0"
	third   = "rook-ceph-osd-host-node3=0"
	flagged = "node1 noout"
)

func TestANodeDrainsWhileTheOthersAreHeld(t *testing.T) {
	w := threeNodes(t)
	w.wantBudgets("before", common)
	w.cordon("node1", true)
	w.passes()
	w.wantBudgets("a cordon alone", common)
	for _, id := range w.on("node1") { // the second can be evicted only since the common budget is gone
		w.run(id, false)
		w.passes()
		w.wantBudgets("osd."+id+" is evicted", flagged, second, third)
	}
	w.restart()
	w.passes()
	w.wantBudgets("a new leader", flagged, second, third)
	w.cordon("node1", false)
	w.passes()
	w.wantBudgets("the node is back, its OSDs are not", flagged, second, third)
	for _, id := range w.on("node1") {
		w.run(id, true)
	}
	w.ceph.SetPGs(map[string]int{"active+undersized+degraded": 5, "active+clean": 11})
	w.passes()
	w.wantBudgets("data is not whole", flagged, second, third)
	w.ceph.SetPGs(nil)
	w.passes()
	w.wantBudgets("after", common)
	for _, node := range []string{"node2", "node3"} {
		w.cordon(node, true)
		for _, id := range w.on(node) {
			w.run(id, false)
			w.passes()
			w.run(id, true)
		}
		w.cordon(node, false)
		w.passes()
	}
	w.wantBudgets("one node after the other", common)
	told := strings.Join(w.told(), "\n")
	for _, want := range []string{"DrainStarted Let node1 drain", "DrainEnded Ended the drain of node1"} {
		if strings.Count(told, want) != 1 {
			t.Errorf("%q was told %d times", want, strings.Count(told, want))
		}
	}
}

func TestADrainThatTakesLongLetsCephMoveTheData(t *testing.T) {
	w := threeNodes(t)
	w.edit(func(c *api.CephCluster) { c.Spec.DisruptionManagement.OSDMaintenanceTimeout = 5 })
	w.cordon("node1", true)
	w.run(w.on("node1")[0], false)
	w.passes()
	w.wantBudgets("it begins", flagged, second, third)
	w.clock.SetTime(w.clock.Now().Add(6 * time.Minute))
	w.passes()
	w.wantBudgets("it is late", second, third)
}

func TestADrainThatWouldStopDataWaitsAndSaysWhy(t *testing.T) {
	w := newWorld(t, 3)
	w.edit(func(c *api.CephCluster) { c.Spec.DisruptionManagement.ManagePodBudgets = true })
	w.settle()
	w.protect()
	w.cordon("node1", true)
	w.run(w.on("node1")[0], false)
	w.passes()
	w.wantBudgets("all replicas are on the node", common)
	if told := strings.Join(w.told(), "\n"); strings.Count(told, "DrainWaits node1 cannot drain yet") != 1 {
		t.Errorf("told:\n%s", told)
	}
}

func TestAFlagOfSomebodyElseStays(t *testing.T) {
	w := threeNodes(t)
	w.check(w.ceph.Client().OSDSetGroup(t.Context(), "noout", "node1"))
	w.cordon("node1", true)
	id := w.on("node1")[0]
	w.run(id, false)
	w.passes()
	w.wantBudgets("during", flagged, second, third)
	w.cordon("node1", false)
	w.run(id, true)
	w.passes()
	w.wantBudgets("after", flagged, common)
}

func TestBudgetsAndTheFlagGoWhenTheyAreNotWanted(t *testing.T) {
	w := threeNodes(t)
	w.cordon("node1", true)
	w.run(w.on("node1")[0], false)
	w.passes()
	w.edit(func(c *api.CephCluster) { c.Spec.DisruptionManagement.ManagePodBudgets = false })
	w.passes()
	w.wantBudgets("budgets are not managed")
}

func TestNoCrashLeavesAFlagOrABudgetBehind(t *testing.T) {
	w := threeNodes(t)
	id := w.on("node1")[0]
	for at := 1; ; at += testenv.Stride(6) {
		w.crashAt = w.writes + at
		crashed := false
		looks := func() {
			for range 2 {
				if err := w.pass(); err != nil {
					crashed, w.crashAt = true, 0
					w.restart()
				}
			}
		}
		w.cordon("node1", true)
		w.run(id, false)
		looks()
		w.cordon("node1", false)
		w.run(id, true)
		looks()
		w.crashAt = 0
		w.check(w.pass())
		w.check(w.pass())
		w.wantBudgets(fmt.Sprintf("crash at write %d", at), common)
		if !crashed {
			if at < 5 {
				t.Fatalf("only %d writes", at)
			}
			return
		}
	}
}

func TestALostAnswerAboutADrainChangesNoBudget(t *testing.T) {
	w := threeNodes(t)
	w.cordon("node1", true)
	w.run(w.on("node1")[0], false)
	w.passes()
	for _, question := range []string{"status", "osd dump"} {
		w.ceph.FailNext(question, ceph.ErrUnreachable)
		w.check(w.pass())
		w.wantBudgets(question+" is not answered", flagged, second, third)
	}
}
