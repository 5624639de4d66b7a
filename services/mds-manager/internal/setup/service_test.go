package setup_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func TestAFileSystemIsServedAndThenAllIsQuiet(t *testing.T) {
	w := newWorld(t, filesystem("myfs", func(fs *api.CephFilesystem) {
		fs.Spec.MetadataServer.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")}}
	}))
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonAsExpected {
		t.Fatalf("Ready: %+v", c)
	}
	status := w.fs("myfs").Status
	if status.Phase != api.PhaseReady || status.Replicas != 1 || status.Standbys != 1 || len(status.Ranks) != 1 || status.Ranks[0].State != ceph.MDSActive {
		t.Errorf("status: %+v", status)
	}
	if got := status.Info["metadataPool"] + " " + status.Info["dataPools"]; got != "myfs-metadata myfs-replicated" {
		t.Errorf("pools: %s", got)
	}
	for option, want := range map[string]string{"mds_join_fs": "myfs", "mds_cache_memory_limit": "2147483648"} {
		if got, _ := w.ceph.Option("mds.myfs-b", option); got != want {
			t.Errorf("%s is %q, want %s", option, got, want)
		}
	}
	user, _ := w.ceph.User("mds.myfs-a")
	if diff := cmp.Diff(map[string]string{"mon": "allow profile mds", "mgr": "allow profile mds", "osd": "allow rw tag cephfs *=*", "mds": "allow"}, user.Caps); diff != "" {
		t.Errorf("caps (-want +got):\n%s", diff)
	}
	if pin := w.ceph.GroupPin("myfs", "csi"); pin != "distributed=1" {
		t.Errorf("the default group is pinned %q", pin)
	}
	if c := w.serving(); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonAsExpected {
		t.Errorf("FilesystemsServing: %+v", c)
	}
	w.quiet(1)
}

func TestACacheThatTheClusterConfiguresIsLeftToIt(t *testing.T) {
	w := newWorld(t, filesystem("myfs", func(fs *api.CephFilesystem) {
		fs.Spec.MetadataServer.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")}}
	}))
	w.settle()
	cluster := w.newCluster()
	w.change(cluster, func() {
		cluster.Spec.CephConfig = map[string]map[string]string{"mds": {"mds_cache_memory_limit": "1G"}, "mds.myfs-b": {"mds_cache_memory_limit": "3G"}}
	})
	w.check(w.ceph.Client().ConfigSet(t.Context(), "mds.myfs-b", "mds_cache_memory_limit", "3G")) // as mon-manager does
	w.settle()
	if got, found := w.ceph.Option("mds.myfs-a", "mds_cache_memory_limit"); found {
		t.Errorf("a has %s in place of what is said of all", got)
	}
	if got, _ := w.ceph.Option("mds.myfs-b", "mds_cache_memory_limit"); got != "3G" {
		t.Errorf("b has %q", got)
	}
	w.change(cluster, func() { cluster.Spec.CephConfig = nil })
	w.settle()
	for _, daemon := range []string{"mds.myfs-a", "mds.myfs-b"} {
		if got, _ := w.ceph.Option(daemon, "mds_cache_memory_limit"); got != "2147483648" {
			t.Errorf("%s has %q afterwards", daemon, got)
		}
	}
}

// quiet wants passes that write nothing and ask Ceph at most once per object.
func (w *world) quiet(objects int) {
	w.t.Helper()
	before := w.writes
	w.ceph.ForgetCommands()
	w.check(w.pass())
	w.check(w.pass())
	if w.writes != before || w.ceph.Writes() != 0 {
		w.t.Errorf("a settled file system was sent %d writes, Ceph %d\n%s", w.writes-before, w.ceph.Writes(), strings.Join(w.last, "\n"))
	}
	if got := len(w.ceph.Commands()); got > 2*objects {
		w.t.Errorf("two settled passes asked Ceph %d times: %v", got, w.ceph.Commands())
	}
	w.restart()
	w.ceph.ForgetCommands()
	w.check(w.pass())
	if w.writes != before || w.ceph.Writes() != 0 {
		w.t.Errorf("a successor sent %d writes, and Ceph %d\n%s", w.writes-before, w.ceph.Writes(), strings.Join(w.last, "\n"))
	}
}

func TestTheReportNamesTheVersionOnce(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.settle()
	cluster := &api.CephCluster{}
	w.check(w.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, cluster))
	if got := cluster.Status.Daemons[api.RoleMDS]; got != (api.DaemonStatus{Image: cephImage, Version: "18.2.7-0"}) {
		t.Errorf("daemons.mds: %+v", got)
	}
	if asked := w.ceph.Sent("mds metadata"); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestTheReportLeavesOutMetadataServersOfOthers(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.answers["mds metadata"] = func(answer []byte) []byte {
		return bytes.Replace(answer, []byte(`[`), []byte(`[{"name":"foreign"},`), 1)
	}
	w.settle()
	cluster := w.newCluster()
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster))
	if got := cluster.Status.Daemons[api.RoleMDS]; got != (api.DaemonStatus{Image: cephImage, Version: "18.2.7-0"}) {
		t.Errorf("daemons.mds: %+v", got)
	}
}

func TestAVersionThatNobodyTellsIsAskedForLessAndLess(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.answers["mds metadata"] = func([]byte) []byte { return []byte("[]") }
	w.settle()
	w.restart()
	cluster := w.newCluster()
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster))
	var waits []time.Duration
	for range 8 {
		result, err := w.service.Report.Reconcile(t.Context(), cluster)
		w.check(err)
		waits = append(waits, result.RequeueAfter/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{2, 4, 8, 16, 32, 64, 120, 120}, waits); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
}

func TestRanksThatNobodyServesAreLookedAtLessAndLess(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	for range 10 { // no node runs anything
		w.check(w.pass())
	}
	if c := w.condition("myfs", api.ConditionReady); c.Reason != api.ReasonFilesystemsStarting {
		t.Fatalf("Ready: %+v", c)
	}
	next := func(waited time.Duration) time.Duration {
		w.clock.SetTime(w.clock.Now().Add(waited))
		result, err := w.service.Filesystem.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(fs)})
		w.check(err)
		return result.RequeueAfter
	}
	got := []time.Duration{next(0), next(5 * time.Second), next(15 * time.Second), next(time.Minute)}
	w.change(fs, func() { fs.Spec.MetadataServer.ActiveCount = 2 })
	got = append(got, next(0)) // two ranks are waited for now
	want := []time.Duration{time.Second, time.Second, 4 * time.Second, 10 * time.Second, time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("intervals (-want +got):\n%s", diff)
	}
}

func TestANewFileSystemWaitsForTheOSDs(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.report(func(s *api.ClusterStatus) {
		api.FindCondition(s.Conditions, api.ConditionOSDsServing).Status = metav1.ConditionFalse
	})
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, "Waiting for osd-manager") {
		t.Errorf("Ready: %+v", c)
	}
	if got := len(w.daemons()); got != 2 {
		t.Errorf("%d metadata servers, want both to be ready by then", got)
	}
	if c := w.serving(); c.Status != metav1.ConditionFalse {
		t.Errorf("FilesystemsServing: %+v", c)
	}
}

func TestRanksGoUpAndDownOneAtATime(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.ceph.ForgetCommands()
	w.change(fs, func() { fs.Spec.MetadataServer.ActiveCount = 3 })
	for range 10 { // growth is no outage
		w.check(w.pass())
		if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue {
			t.Errorf("while ranks are added it is %+v", c)
		}
		w.play()
	}
	w.settle()
	if m := w.mdsMap("myfs"); m.MaxMDS != 3 || m.Active() != 3 || len(w.daemons()) != 6 {
		t.Errorf("max_mds %d, %d active of %v", m.MaxMDS, m.Active(), w.daemons())
	}
	w.change(fs, func() { fs.Spec.MetadataServer.ActiveCount = 1 })
	w.settle()
	if m := w.mdsMap("myfs"); m.MaxMDS != 1 || m.Active() != 1 {
		t.Errorf("max_mds %d, %d active", m.MaxMDS, m.Active())
	}
	if diff := cmp.Diff([]string{"myfs-a", "myfs-b"}, w.daemons()); diff != "" {
		t.Errorf("metadata servers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"2", "3", "2", "1"}, w.sentMaxMDS()); diff != "" {
		t.Errorf("max_mds (-want +got):\n%s", diff)
	}
	if _, left := w.ceph.User("mds.myfs-c"); left {
		t.Error("the key of a metadata server that ended is left")
	}
	if _, left := w.ceph.Option("mds.myfs-c", "mds_join_fs"); left {
		t.Error("the options of a metadata server that ended are left")
	}
	if len(w.outages) > 0 {
		t.Errorf("went without a rank: %v", w.outages)
	}
	w.quiet(1)
}

func (w *world) sentMaxMDS() []string {
	var values []string
	for _, entry := range w.ceph.Commands() {
		if entry.Command.Prefix == "fs set" && entry.Command.Args["var"] == "max_mds" {
			values = append(values, entry.Command.Args["val"].(string))
		}
	}
	return values
}

func TestAnUpgradeNeverLeavesClientsAlone(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.MetadataServer.ActiveCount = 2 })
	w := newWorld(t, fs)
	w.settle()
	w.ceph.ForgetCommands()
	cluster := w.newCluster()
	w.change(cluster, func() { cluster.Spec.CephVersion.Image = newImage })
	w.settle()
	if got := w.images(); !slices.Equal(got, []string{cephImage}) {
		t.Errorf("images %v before the OSDs have the new one", got)
	}
	w.report(func(s *api.ClusterStatus) { s.Daemons[api.RoleOSD] = api.DaemonStatus{} })
	w.settle()
	if got := w.images(); !slices.Equal(got, []string{cephImage}) {
		t.Errorf("images %v while the OSDs differ", got)
	}
	w.report(func(s *api.ClusterStatus) {
		s.Daemons[api.RoleOSD] = api.DaemonStatus{Image: newImage, Version: "20.2.4-0"}
	})
	w.ceph.Upgrade("20.2.4")
	w.settle()
	if got := w.images(); !slices.Equal(got, []string{newImage}) {
		t.Errorf("images %v, want the new one", got)
	}
	if diff := cmp.Diff([]string{"1", "2"}, w.sentMaxMDS()); diff != "" {
		t.Errorf("max_mds (-want +got):\n%s", diff)
	}
	if m := w.mdsMap("myfs"); m.Active() != 2 || !m.Flags.AllowStandbyReplay {
		t.Errorf("%d active, standbys follow: %t", m.Active(), m.Flags.AllowStandbyReplay)
	}
	if w.ceph.Sent("mds ok-to-stop") < 4 {
		t.Errorf("Ceph was asked %d times before a stop", w.ceph.Sent("mds ok-to-stop"))
	}
	if len(w.outages) > 0 {
		t.Errorf("went without a rank: %v", w.outages)
	}
	w.quiet(1)
}

// images are those that metadata servers run.
func (w *world) images() []string {
	var images []string
	for _, template := range w.running {
		for _, image := range []string{cephImage, newImage} {
			if strings.Contains(template, "Image:"+image+",") && !slices.Contains(images, image) {
				images = append(images, image)
			}
		}
	}
	slices.Sort(images)
	return images
}

func TestTwoFileSystemsAreNeverDisturbedAtOnce(t *testing.T) {
	one, other := filesystem("one"), filesystem("other", func(fs *api.CephFilesystem) { fs.UID = "fs-2" })
	w := newWorld(t, one, other)
	w.settle()
	for _, fs := range []*api.CephFilesystem{one, other} {
		w.change(fs, func() { fs.Spec.MetadataServer.PriorityClassName = "high" })
	}
	for range 3 {
		w.check(w.pass()) // while the nodes are slow
	}
	if c := w.condition("one", api.ConditionReady); c.Reason != api.ReasonUpgrading {
		t.Errorf("one: %+v", c)
	}
	if c := w.condition("other", api.ConditionReady); c.Reason != api.ReasonDisrupted || !strings.Contains(c.Message, "mds-manager/one") {
		t.Errorf("other: %+v", c)
	}
	w.remove(one)
	w.settle()
	if got := w.running["other-a"] + w.running["other-b"]; strings.Count(got, "PriorityClassName:high") != 2 {
		t.Error("the other one was not updated after the first had gone")
	}
}

func TestANewImageOfOursRestartsNobody(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.settle()
	w.image = "rook-ceph/mds-manager:v2"
	w.restart()
	before := w.writes
	w.settle()
	if w.writes != before {
		t.Errorf("%d writes:\n%s", w.writes-before, strings.Join(w.last, "\n"))
	}
}

func TestAFileSystemWithoutStandbyIsStillUpdated(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.MetadataServer.ActiveStandby = false })
	w := newWorld(t, fs)
	w.settle()
	if m := w.mdsMap("myfs"); m.StandbyCountWanted != 0 || len(w.daemons()) != 1 {
		t.Errorf("%d standbys wanted of %v", m.StandbyCountWanted, w.daemons())
	}
	w.change(fs, func() { fs.Spec.MetadataServer.PriorityClassName = "high" })
	w.settle()
	if !strings.Contains(w.running["myfs-a"], "PriorityClassName:high") {
		t.Error("it was not updated")
	}
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready: %+v", c)
	}
}

func TestADataPoolThatDisappearsStaysAndIsReported(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) {
		fs.Spec.DataPools = append(fs.Spec.DataPools, api.NamedPoolSpec{Name: "ec", PoolSpec: api.PoolSpec{
			FailureDomain: "osd", ErasureCoded: api.ErasureCodedSpec{DataChunks: 2, CodingChunks: 1}}})
	})
	w := newWorld(t, fs)
	w.settle()
	if m := w.mdsMap("myfs"); len(m.DataPools) != 2 {
		t.Fatalf("%d data pools, want 2", len(m.DataPools))
	}
	w.told()
	w.change(fs, func() { fs.Spec.DataPools = fs.Spec.DataPools[:1] })
	w.settle()
	if m := w.mdsMap("myfs"); len(m.DataPools) != 2 {
		t.Errorf("%d data pools are left, want 2", len(m.DataPools))
	}
	stalled := w.condition("myfs", api.ConditionStalled)
	if stalled.Status != metav1.ConditionTrue || stalled.Reason != api.ReasonDrift || !strings.Contains(stalled.Message, "'myfs-ec' is no longer in `dataPools` and was kept") {
		t.Errorf("Stalled: %+v", stalled)
	}
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "myfs-ec") {
		t.Errorf("events: %v", told)
	}
	w.quiet(1)
}

func TestPoolsOfSomebodyElseAreNeverTaken(t *testing.T) {
	w := newWorld(t, filesystem("myfs", func(fs *api.CephFilesystem) {
		fs.Spec.PreservePoolNames = true
		fs.Spec.DataPools[0].Name = "images"
	}))
	w.check(w.ceph.Client().PoolCreate(t.Context(), ceph.PoolSpec{Name: "images", Size: 3}, ceph.Unconfirmed))
	w.check(w.ceph.Client().PoolApplicationEnable(t.Context(), "images", "rbd", ceph.Unconfirmed))
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, "Pool 'images' belongs to application rbd") {
		t.Errorf("Ready: %+v", c)
	}
	pool, _ := w.ceph.Pool("images")
	if _, taken := pool.ApplicationMetadata["cephfs"]; taken {
		t.Error("the pool was taken")
	}
}

func TestAPoolThatCannotBeHadHoldsUpNoMetadataServer(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.check(w.ceph.Client().PoolCreate(t.Context(), ceph.PoolSpec{Name: "myfs-images", Size: 3}, ceph.Unconfirmed))
	w.check(w.ceph.Client().PoolApplicationEnable(t.Context(), "myfs-images", "rbd", ceph.Unconfirmed))
	w.change(fs, func() {
		fs.Spec.DataPools = append(fs.Spec.DataPools, api.NamedPoolSpec{Name: "images", PoolSpec: fs.Spec.DataPools[0].PoolSpec})
		fs.Spec.MetadataServer.ActiveCount, fs.Spec.MetadataServer.PriorityClassName = 2, "high"
	})
	w.settle()
	if m := w.mdsMap("myfs"); m.Active() != 2 || !strings.Contains(w.running["myfs-a"], "PriorityClassName:high") {
		t.Errorf("%d ranks are served, and myfs-a runs %s", m.Active(), w.running["myfs-a"])
	}
	ready, stalled := w.condition("myfs", api.ConditionReady), w.condition("myfs", api.ConditionStalled)
	if ready.Status != metav1.ConditionTrue || w.fs("myfs").Status.Phase != api.PhaseReady {
		t.Errorf("Ready of one whose ranks are all served: %+v", ready)
	}
	if stalled.Status != metav1.ConditionTrue || !strings.Contains(stalled.Message, "Pool 'myfs-images' belongs to application rbd") {
		t.Errorf("Stalled: %+v", stalled)
	}
	w.ceph.LoseMDS(w.mdsMap("myfs").Daemons()[0].Name)
	w.ceph.LoseMDS(w.mdsMap("myfs").Daemons()[0].Name)
	w.ceph.LoseMDS(w.mdsMap("myfs").Daemons()[0].Name)
	w.check(w.pass())
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionFalse || c.Reason != api.ReasonFilesystemsStarting {
		t.Errorf("Ready of one whose ranks are not all served: %+v", c)
	}
	if c := w.condition("myfs", api.ConditionStalled); c.Status != metav1.ConditionTrue {
		t.Errorf("Stalled: %+v", c)
	}
	w.check(w.ceph.Client().PoolDelete(t.Context(), "myfs-images", ceph.Really))
	w.settle()
	if c := w.condition("myfs", api.ConditionStalled); c.Status != metav1.ConditionFalse || len(w.mdsMap("myfs").DataPools) != 2 {
		t.Errorf("Stalled after the pool had gone: %+v", c)
	}
}

func TestADataPoolThatCouldNotServeIsWaitedFor(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) {
		fs.Spec.DataPools[0].Replicated.Size = 7
	})
	w := newWorld(t, fs)
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Reason != api.ReasonTooFewFailureDomains || !strings.Contains(c.Message, "'myfs-replicated' needs at least 4 failure domains of type host") {
		t.Errorf("Ready: %+v", c)
	}
	if _, made := w.ceph.Pool("myfs-replicated"); made {
		t.Error("the pool was made")
	}
	w.change(fs, func() { fs.Spec.DataPools[0].Replicated.Size = 5 })
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready with a pool that serves: %+v", c)
	}
}

func TestWhatStallsIsLookedAtAgain(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.check(w.ceph.Client().PoolCreate(t.Context(), ceph.PoolSpec{Name: "myfs-replicated", Size: 3}, ceph.Unconfirmed))
	w.check(w.ceph.Client().PoolApplicationEnable(t.Context(), "myfs-replicated", "rbd", ceph.Unconfirmed))
	w.settle()
	if c := w.condition("myfs", api.ConditionStalled); c.Status != metav1.ConditionTrue {
		t.Fatalf("Stalled: %+v", c)
	}
	result, err := w.service.Filesystem.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(fs)})
	if err != nil || result.RequeueAfter != 30*time.Second {
		t.Errorf("looked at again after %s (%v)", result.RequeueAfter, err)
	}
}

func TestAManagerThatIsAwayHoldsUpNoMetadataServer(t *testing.T) {
	away := func(status metav1.ConditionStatus) func(s *api.ClusterStatus) {
		return func(s *api.ClusterStatus) {
			api.FindCondition(s.Conditions, api.ConditionManagerActive).Status = status
		}
	}
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.report(away(metav1.ConditionFalse))
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionFalse || c.Reason != "WaitingForManagerActive" {
		t.Errorf("Ready of one that never had its group: %+v", c)
	}
	w.report(away(metav1.ConditionTrue))
	w.settle()
	w.report(away(metav1.ConditionFalse))
	w.change(fs, func() { fs.Spec.MetadataServer.PriorityClassName = "high" })
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue || c.Reason != "WaitingForManagerActive" {
		t.Errorf("Ready: %+v", c)
	}
	if got := w.running["myfs-a"] + w.running["myfs-b"]; strings.Count(got, "PriorityClassName:high") != 2 {
		t.Error("the metadata servers were not updated")
	}
}

func TestSeveralFileSystemsShareACluster(t *testing.T) {
	w := newWorld(t, filesystem("myfs"), filesystem("other", func(fs *api.CephFilesystem) { fs.UID = "fs-2" }))
	w.settle()
	for _, name := range []string{"myfs", "other"} {
		for _, daemon := range w.mdsMap(name).Daemons() {
			if !strings.HasPrefix(daemon.Name, name+"-") {
				t.Errorf("%s is served by %s", name, daemon.Name)
			}
		}
	}
	w.quiet(2)
}

func TestAMissingStandbyDoesNotMakeAFileSystemUnready(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.settle()
	standby := "myfs-a"
	if w.mdsMap("myfs").Daemons()[0].Name == standby {
		standby = "myfs-b"
	}
	w.ceph.LoseMDS(standby)
	w.check(w.pass())
	ready, reconciling := w.condition("myfs", api.ConditionReady), w.condition("myfs", api.ConditionReconciling)
	if ready.Status != metav1.ConditionTrue || ready.Reason != api.ReasonStandbysStarting || !strings.Contains(ready.Message, standby) {
		t.Errorf("Ready: %+v", ready)
	}
	if reconciling.Status != metav1.ConditionTrue {
		t.Errorf("Reconciling: %+v", reconciling)
	}
	w.ceph.LoseMDS(w.mdsMap("myfs").Daemons()[0].Name)
	w.check(w.pass())
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionFalse || c.Reason != api.ReasonFilesystemsStarting {
		t.Errorf("Ready of one that nobody serves: %+v", c)
	}
	if c := w.serving(); c.Status != metav1.ConditionFalse {
		t.Errorf("FilesystemsServing: %+v", c)
	}
}

func TestABudgetFollowsTheSwitch(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.settle()
	budgets := &policyv1.PodDisruptionBudgetList{}
	w.check(w.kube.List(t.Context(), budgets))
	if len(budgets.Items) != 1 || budgets.Items[0].Name != "rook-ceph-mds-myfs" || budgets.Items[0].Spec.MaxUnavailable.IntValue() != 1 {
		t.Errorf("budgets: %+v", budgets.Items)
	}
	cluster := w.newCluster()
	w.change(cluster, func() { cluster.Spec.DisruptionManagement.ManagePodBudgets = false })
	w.settle()
	w.check(w.kube.List(t.Context(), budgets))
	if len(budgets.Items) != 0 {
		t.Errorf("%d budgets are left", len(budgets.Items))
	}
}

func TestAGroupIsMadeSizedAndPinned(t *testing.T) {
	g := group("team", func(g *api.CephFilesystemSubVolumeGroup) {
		g.Spec.Quota, g.Spec.Pinning.Export = ptr.To(resource.MustParse("10Gi")), ptr.To(int32(0))
	})
	w := newWorld(t, filesystem("myfs"), g)
	w.settle()
	info, err := w.ceph.Client().SubvolumeGroupInfo(t.Context(), "myfs", "team")
	if err != nil || info.BytesQuota != 10<<30 || w.ceph.GroupPin("myfs", "team") != "export=0" {
		t.Fatalf("group %+v pinned %s: %v", info, w.ceph.GroupPin("myfs", "team"), err)
	}
	status := w.group("team").Status
	if status.Phase != api.PhaseReady || status.Info["pinning"] != "export=0" || len(status.Info["clusterID"]) != 32 {
		t.Errorf("status: %+v", status)
	}
	w.quiet(2)
	w.ceph.AddSubvolume("myfs", "team", "pvc-1", 5<<30)
	w.change(g, func() { g.Spec.Quota = ptr.To(resource.MustParse("1Gi")) })
	w.settle()
	stalled := api.FindCondition(w.group("team").Status.Conditions, api.ConditionStalled)
	if stalled.Status != metav1.ConditionTrue || stalled.Reason != api.ReasonQuotaBelowUse || !strings.Contains(stalled.Message, "raise it") {
		t.Errorf("Stalled: %+v", stalled)
	}
	if info, _ := w.ceph.Client().SubvolumeGroupInfo(t.Context(), "myfs", "team"); info.BytesQuota != 10<<30 {
		t.Errorf("the quota became %d", info.BytesQuota)
	}
	w.change(g, func() { g.Spec.Quota, g.Spec.Pinning = nil, api.SubVolumeGroupPinning{} })
	w.settle()
	if info, _ := w.ceph.Client().SubvolumeGroupInfo(t.Context(), "myfs", "team"); info.BytesQuota != 0 || w.ceph.GroupPin("myfs", "team") != "distributed=1" {
		t.Errorf("group %+v pinned %s", info, w.ceph.GroupPin("myfs", "team"))
	}
}

func TestTheDefaultGroupIsInThePoolThatItsObjectNames(t *testing.T) {
	g := group("csi", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.DataPoolName = "myfs-cold" })
	w := newWorld(t, filesystem("myfs", func(fs *api.CephFilesystem) {
		cold := *fs.Spec.DataPools[0].DeepCopy()
		cold.Name = "cold"
		fs.Spec.DataPools = append(fs.Spec.DataPools, cold)
	}), g)
	w.settle()
	info, err := w.ceph.Client().SubvolumeGroupInfo(t.Context(), "myfs", "csi")
	if err != nil || info.DataPool != "myfs-cold" {
		t.Errorf("the group is %+v, %v", info, err)
	}
	if status := w.group("csi").Status; status.Phase != api.PhaseReady {
		t.Errorf("status: %+v", status)
	}
}

func TestTheDefaultGroupIsPinnedAlthoughTheServiceCrashed(t *testing.T) {
	for name, pinned := range map[string]string{"default": "distributed=1", "by_an_object": "export=0"} {
		t.Run(name, func(t *testing.T) {
			objs := []client.Object{filesystem("myfs")}
			if name != "default" {
				objs = append(objs, group("csi", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.Pinning.Export = ptr.To(int32(0)) }))
			}
			w := newWorld(t, objs...)
			w.ceph.LoseReply("fs subvolumegroup create")
			for w.pass() == nil && w.ceph.Sent("fs subvolumegroup create") == 0 {
				w.play()
			}
			w.restart()
			w.settle()
			if pin := w.ceph.GroupPin("myfs", "csi"); pin != pinned {
				t.Errorf("the default group is pinned %q", pin)
			}
			w.ceph.ForgetCommands()
			w.restart()
			w.settle()
			if sent := w.ceph.Sent("fs subvolumegroup pin"); sent != 0 {
				t.Errorf("it was pinned %d times more", sent)
			}
		})
	}
}

func TestAGroupOfAnUnknownFileSystemOrPoolSaysSo(t *testing.T) {
	lost := group("lost", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.FilesystemName, g.UID = "nofs", "g-2" })
	wrong := group("wrong", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.DataPoolName = "nothing" })
	w := newWorld(t, filesystem("myfs"), lost, wrong)
	w.settle()
	for name, words := range map[string]string{"lost": "'nofs', which does not exist", "wrong": "`dataPoolName` must be one of myfs-replicated"} {
		ready := api.FindCondition(w.group(name).Status.Conditions, api.ConditionReady)
		if ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, words) {
			t.Errorf("%s: %+v", name, ready)
		}
	}
}

func TestAClusterIDNeverMeansTwoGroups(t *testing.T) {
	first := group("red", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.ClusterID = "team" })
	w := newWorld(t, filesystem("myfs"), first)
	w.settle()
	second := group("blue", func(g *api.CephFilesystemSubVolumeGroup) {
		g.Spec.ClusterID, g.UID, g.CreationTimestamp = "team", "g-2", metav1.NewTime(w.clock.Now())
	})
	third := group("green", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.ClusterID, g.UID = namespace, "g-3" })
	w.check(w.kube.Create(t.Context(), second))
	w.check(w.kube.Create(t.Context(), third))
	w.settle()
	if got := w.group("red").Status; got.Info["clusterID"] != "team" || got.Phase != api.PhaseReady {
		t.Errorf("the first: %+v", got)
	}
	for name, words := range map[string]string{"blue": "belongs to CephFilesystemSubVolumeGroup 'rook-ceph/red'", "green": "is the namespace"} {
		got := w.group(name).Status
		stalled := api.FindCondition(got.Conditions, api.ConditionStalled)
		if got.Info["clusterID"] != "" || stalled.Status != metav1.ConditionTrue || !strings.Contains(stalled.Message, words) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w.quiet(2)
}
