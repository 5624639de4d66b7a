package setup

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// chapter is one part of a cluster's life: what people or fate do, and what
// has to come of it.
type chapter struct {
	name string
	do   func(*lab)
	mons string
}

func life() []chapter {
	return []chapter{
		{"three_monitors_are_born", (*lab).create, "a b c"},
		{"two_more_are_asked_for", func(l *lab) { l.count(5) }, "a b c d e"},
		{"two_are_given_up", func(l *lab) { l.count(3) }, "a b c"},
		{"the_node_of_one_is_deleted", (*lab).loseNode, "a b f"},
		{"the_cluster_is_deleted", (*lab).remove, "a b f"},
	}
}

// TestACrashAtAnyWriteChangesNothingInTheEnd lets every single write of every
// chapter fail, one in each life of a cluster, before or after it was done. Each
// time all must end as it does without a fault. The end of the service before a
// write is its end after the one before, unless nodes acted in between.
func TestACrashAtAnyWriteChangesNothingInTheEnd(t *testing.T) {
	whole := newLab(t)
	var want []end
	begins := map[int]bool{}
	most := 0
	for _, chapter := range life() {
		before := whole.writes
		whole.begins = nil
		chapter.do(whole)
		whole.settle()
		whole.nothingIsLeft(chapter)
		want = append(want, end{whole.picture(), whole.writes - before})
		most = max(most, whole.writes-before)
		for _, at := range whole.begins {
			begins[at-before] = true
		}
	}
	for at := 1; at <= most; at += testenv.Stride(39) {
		for _, fault := range faultsAt(at, begins[at]) {
			t.Run(fault.String(), func(t *testing.T) {
				t.Parallel()
				newLab(t).live(fault, want)
			})
		}
	}
}

// TestAClaimLeavesWithItsMonitor: in the host network a claim is all that is left
// of a monitor that was stopped.
func TestAClaimLeavesWithItsMonitor(t *testing.T) {
	l := newLab(t)
	l.createWith(func(spec *api.ClusterSpec) {
		spec.Network.HostNetwork = true
		spec.Mon.VolumeClaimTemplate = &api.VolumeClaimTemplate{}
	})
	l.settle()
	l.count(5)
	l.settle()
	var claims corev1.PersistentVolumeClaimList
	if l.must(l.base.List(l.ctx, &claims)); len(claims.Items) != 5 {
		t.Fatalf("%d claims, want 5", len(claims.Items))
	}
	l.count(3)
	l.settle()
	l.nothingIsLeft(chapter{name: "claims", mons: "a b c"})
	if l.must(l.base.List(l.ctx, &claims)); len(claims.Items) != 3 {
		t.Errorf("%d claims, want 3", len(claims.Items))
	}
}

// end is what came of a chapter, and how many writes it took.
type end struct {
	picture map[string]string
	writes  int
}

// live plays a life with the fault in every chapter that has so many writes.
func (l *lab) live(fault fault, want []end) {
	for i, chapter := range life() {
		if !slices.ContainsFunc(want[i:], func(e end) bool { return e.writes >= fault.at }) {
			return
		}
		l.fault = fault
		l.fault.at += l.writes
		chapter.do(l)
		l.settle()
		l.check(chapter, want[i])
		if l.t.Failed() {
			return
		}
	}
}

// faultsAt are the ways in which a write fails: with the end of the service, and
// for some writes without. Begins is whether a pass begins with it.
func faultsAt(at int, begins bool) []fault {
	list := []fault{{at: at, after: true}}
	if begins {
		list = append(list, fault{at: at})
	}
	if at%4 == 3 {
		list = append(list, fault{at: at, lives: true}, fault{at: at, lives: true, after: true})
	}
	return list
}

func (f fault) String() string {
	when, then := "before", "it_ends"
	if f.after {
		when = "after"
	}
	if f.lives {
		then = "it_lives"
	}
	return fmt.Sprintf("%s_%s_write_%d", then, when, f.at)
}

// check compares the end with that of a life without faults.
func (l *lab) check(chapter chapter, want end) {
	l.t.Helper()
	if got := strings.Join(slices.Sorted(slices.Values(l.ceph.MonNames())), " "); got != chapter.mons {
		l.t.Errorf("%s: monitors %s are in the map, want %s", chapter.name, got, chapter.mons)
	}
	l.nothingIsLeft(chapter)
	if diff := cmp.Diff(want.picture, l.picture()); diff != "" {
		l.t.Errorf("%s: the end is another one (-without +with the fault at %q):\n%s", chapter.name, l.failed, diff)
	}
}

// nothingIsLeft looks for objects of monitors that are gone, and at the end for
// any at all. The identity of the data stays, which nobody has, and which nothing
// guards.
func (l *lab) nothingIsLeft(chapter chapter) {
	l.t.Helper()
	l.each(func(obj client.Object) {
		if _, isPod := obj.(*corev1.Pod); isPod && l.over {
			return // no Deployment has it any more
		}
		name, isMon := strings.CutPrefix(obj.GetName(), "rook-ceph-mon-")
		surplus := isMon && len(name) == 1 && !strings.Contains(chapter.mons, name)
		var stays []string
		if len(obj.GetOwnerReferences())+len(obj.GetFinalizers()) == 0 {
			stays = []string{names.MonSecret, names.MonEndpoints}
		}
		if surplus || l.over && !slices.Contains(stays, obj.GetName()) {
			l.t.Errorf("%s: %T %s is left", chapter.name, obj, obj.GetName())
		}
	})
}

func (l *lab) create() { l.createWith(func(*api.ClusterSpec) {}) }

func (l *lab) createWith(change func(*api.ClusterSpec)) {
	l.t.Helper()
	cluster := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: "my-cluster", UID: "c1", Generation: 1},
		Spec: api.ClusterSpec{
			DataDirHostPath:      "/var/lib/rook",
			CephVersion:          api.CephVersionSpec{Image: "ceph:v18.2.7"},
			Mon:                  api.MonSpec{Count: 3},
			Mgr:                  api.MgrSpec{Count: 1},
			DisruptionManagement: api.DisruptionManagementSpec{ManagePodBudgets: true},
		},
	}
	change(&cluster.Spec)
	l.must(l.base.Create(l.ctx, cluster))
}

func (l *lab) cluster() *api.CephCluster {
	l.t.Helper()
	cluster := &api.CephCluster{}
	l.must(l.base.Get(l.ctx, l.key(), cluster))
	return cluster
}

func (l *lab) count(mons int32) {
	l.t.Helper()
	cluster := l.cluster()
	cluster.Spec.Mon.Count = mons
	cluster.Generation++
	l.must(l.base.Update(l.ctx, cluster))
}

// loseNode ends the node of the last monitor for ever.
func (l *lab) loseNode() {
	l.t.Helper()
	members := l.cluster().Status.Monitors.Members
	lost := members[len(members)-1]
	l.down["mon."+lost.Name] = true
	l.ceph.LoseMon(lost.Name)
	l.must(l.base.Delete(l.ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: lost.Node}}))
}

// remove deletes the cluster and lets the garbage collector work.
func (l *lab) remove() {
	l.t.Helper()
	l.must(l.base.Delete(l.ctx, l.cluster()))
	l.settle()
	if err := l.base.Get(l.ctx, l.key(), &api.CephCluster{}); err == nil {
		l.t.Errorf("the CephCluster is still there: %+v", l.cluster().Status.Conditions)
	}
	l.over = true
	l.each(func(obj client.Object) {
		if owners := obj.GetOwnerReferences(); len(owners) > 0 && owners[0].UID == "c1" {
			l.must(client.IgnoreNotFound(l.base.Delete(l.ctx, obj)))
		}
	})
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// each calls do for every object of the kinds that the service makes.
func (l *lab) each(do func(client.Object)) {
	l.t.Helper()
	for _, list := range []client.ObjectList{
		&api.CephClusterList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceList{}, &corev1.PodList{},
		&corev1.PersistentVolumeClaimList{}, &appsv1.DeploymentList{}, &batchv1.JobList{}, &policyv1.PodDisruptionBudgetList{},
		&coordinationv1.LeaseList{},
	} {
		l.must(l.base.List(l.ctx, list, client.InNamespace(l.namespace)))
		l.must(meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(client.Object)
			if ok {
				do(obj)
			}
			return nil
		}))
	}
}

// picture is all that there is in the end, but for what may differ: versions,
// and the keys themselves, which are told by whose they are.
func (l *lab) picture() map[string]string {
	l.t.Helper()
	hide := l.secrets()
	all := map[string]string{}
	l.each(func(obj client.Object) {
		obj.SetManagedFields(nil)
		obj.SetResourceVersion("")
		annotations := maps.Clone(obj.GetAnnotations())
		delete(annotations, "ceph.rook.io/template") // a digest that includes the fsid
		obj.SetAnnotations(annotations)
		switch typed := obj.(type) {
		case *api.CephCluster:
			slices.SortFunc(typed.Status.Conditions, func(a, b api.Condition) int { return strings.Compare(a.Type, b.Type) })
			if !condition.IsTrue(typed.Status.Conditions, api.ConditionReady) || typed.Status.Monitors.Change != nil {
				l.t.Errorf("the service rests while the cluster is not ready: %s", typed.Status.Message)
			}
			typed.Status.Connection.MonmapEpoch = 0
		case *coordinationv1.Lease:
			if holder := typed.Spec.HolderIdentity; holder != nil && *holder != "" {
				l.t.Errorf("%s rests and holds the disruption token", *holder)
			}
			typed.Spec.LeaseTransitions = nil
		case *corev1.Secret:
			text := map[string]string{}
			for key, value := range typed.Data {
				text[key] = string(value)
			}
			typed.Data, typed.StringData = nil, text
		}
		body, err := json.MarshalIndent(obj, "", " ")
		l.must(err)
		all[fmt.Sprintf("%T %s", obj, obj.GetName())] = hide.Replace(string(body))
	})
	l.pictureCeph(all)
	return all
}

func (l *lab) pictureCeph(all map[string]string) {
	l.t.Helper()
	ceph := l.ceph.Client()
	dump, err := ceph.MonDump(l.ctx)
	l.must(err)
	for _, mon := range dump.Mons {
		all["monitor "+mon.Name] = mon.PublicAddrs.V2()
	}
	users, err := ceph.AuthList(l.ctx)
	l.must(err)
	for _, user := range users {
		all["user "+user.Entity] = fmt.Sprint(user.Caps)
	}
	options, err := ceph.ConfigDump(l.ctx)
	l.must(err)
	for _, option := range options {
		all["option "+option.Section+"/"+option.Name] = option.Value
	}
	modules, err := ceph.MgrModuleList(l.ctx)
	l.must(err)
	all["modules"] = strings.Join(modules.Enabled, " ")
	keys, err := ceph.ConfigKeyList(l.ctx)
	l.must(err)
	all["stored keys"] = strings.Join(keys, " ")
}

// secrets replaces what is drawn at random by whose it is.
func (l *lab) secrets() *strings.Replacer {
	l.t.Helper()
	pairs := []string{l.ceph.FSID(), "(fsid)", string(l.guard.identity["mon-secret"]), "(key of mon.)"}
	users, err := l.ceph.Client().AuthList(l.ctx)
	l.must(err)
	for _, user := range users {
		pairs = append(pairs, user.Secret, "(key of "+user.Entity+")")
	}
	return strings.NewReplacer(pairs...)
}
