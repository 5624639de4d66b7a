package setup_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestAnEmptyFileSystemGoesWithAllThatIsItsOwn(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.remove(fs)
	w.settle()
	if w.fs("myfs") != nil {
		t.Fatalf("the object is still there: %+v", w.condition("myfs", api.ConditionReady))
	}
	dump, err := w.ceph.Client().FSDump(t.Context())
	w.check(err)
	names, err := w.ceph.Client().PoolNames(t.Context())
	w.check(err)
	if len(dump.Filesystems) != 0 || len(names) != 0 {
		t.Errorf("left: %d file systems, pools %v", len(dump.Filesystems), names)
	}
	for _, id := range []string{"myfs-a", "myfs-b"} {
		if _, left := w.ceph.User("mds." + id); left {
			t.Errorf("the key of %s is left", id)
		}
	}
	if left := w.daemons(); len(left) != 0 {
		t.Errorf("metadata servers %v are left", left)
	}
}

func TestAFileSystemWithSubvolumesStaysAndNamesThem(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.ceph.AddSubvolume("myfs", "csi", "csi-vol-1", 1)
	w.ceph.AddSubvolume("myfs", "", "bare", 1)
	w.ceph.ForgetCommands()
	w.remove(fs)
	w.settle()
	blocked := w.condition("myfs", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "subvolume bare, subvolume csi/csi-vol-1") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	if w.ceph.Writes() != 0 {
		t.Errorf("Ceph was sent %d writes", w.ceph.Writes())
	}
	if m := w.mdsMap("myfs"); m.Active() != 1 {
		t.Error("it is not served any more")
	}
	for _, one := range []ceph.Subvolume{{Volume: "myfs", Group: "csi", Name: "csi-vol-1"}, {Volume: "myfs", Name: "bare"}} {
		w.check(w.ceph.Client().SubvolumeRemove(t.Context(), one, ceph.RemoveEmpty))
	}
	w.settle()
	if w.fs("myfs") != nil {
		t.Error("the object is still there")
	}
}

func TestAFileSystemThatWasTakenDownIsNotTakenForEmpty(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.ceph.AddSubvolume("myfs", "csi", "csi-vol-1", 1)
	w.check(w.ceph.Client().FSSet(t.Context(), "myfs", "down", "true", ceph.Unconfirmed))
	w.ceph.ForgetCommands()
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionFalse || c.Reason != "TakenDown" || w.ceph.Writes() != 0 {
		t.Errorf("Ready: %+v after %d writes", c, w.ceph.Writes())
	}
	w.remove(fs)
	w.settle()
	blocked := w.condition("myfs", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "`ceph fs set myfs down false`") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	w.check(w.ceph.Client().FSSet(t.Context(), "myfs", "down", "false", ceph.Unconfirmed))
	w.settle()
	if c := w.condition("myfs", api.ConditionDeletionIsBlocked); !strings.Contains(c.Message, "subvolume csi/csi-vol-1") {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
	w.check(w.ceph.Client().SubvolumeRemove(t.Context(), ceph.Subvolume{Volume: "myfs", Group: "csi", Name: "csi-vol-1"}, ceph.RemoveEmpty))
	w.settle()
	if w.fs("myfs") != nil {
		t.Error("the object is still there")
	}
}

func TestAFileSystemWaitsForItsGroups(t *testing.T) {
	fs, g := filesystem("myfs"), group("team")
	w := newWorld(t, fs, g)
	w.settle()
	w.ceph.AddSubvolume("myfs", "team", "pvc-1", 1)
	w.change(g, func() { g.Annotations = map[string]string{"rook.io/force-deletion": "true"} })
	w.remove(fs)
	w.remove(g)
	w.settle()
	if c := w.condition("myfs", api.ConditionDeletionIsBlocked); !strings.Contains(c.Message, "CephFilesystemSubVolumeGroup team, subvolume team/pvc-1;") {
		t.Errorf("the file system's: %+v", c)
	}
	found := api.FindCondition(w.group("team").Status.Conditions, api.ConditionDeletionIsBlocked)
	if found == nil || found.Status != metav1.ConditionTrue ||
		found.Message != "Group 'team' holds pvc-1; delete the PersistentVolumeClaims or subvolumes first; annotation rook.io/force-deletion is not honoured" {
		t.Errorf("the group's: %+v", found)
	}
	w.check(w.ceph.Client().SubvolumeRemove(t.Context(), ceph.Subvolume{Volume: "myfs", Group: "team", Name: "pvc-1"}, ceph.RemoveEmpty))
	w.settle()
	if w.group("team") != nil || w.fs("myfs") != nil {
		t.Error("something is still there")
	}
}

func TestTheDefaultGroupKeepsItsClusterIDWhileVolumesAreInIt(t *testing.T) {
	first := group("myfs-csi", func(g *api.CephFilesystemSubVolumeGroup) { g.Spec.Name = "csi" })
	w := newWorld(t, filesystem("myfs"), first)
	w.settle()
	id := w.group("myfs-csi").Status.Info["clusterID"]
	w.ceph.AddSubvolume("myfs", "csi", "csi-vol-1", 1)
	w.remove(first)
	w.settle()
	left := w.group("myfs-csi")
	if left == nil || len(id) != 32 || left.Status.Info["clusterID"] != id {
		t.Fatalf("clusterID %s became that of %+v", id, left)
	}
	blocked := api.FindCondition(left.Status.Conditions, api.ConditionDeletionIsBlocked)
	if blocked == nil || blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "csi-vol-1") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}

	// Another object of the same group takes over.
	second := group("csi", func(g *api.CephFilesystemSubVolumeGroup) { g.UID = "g-2" })
	w.check(w.kube.Create(t.Context(), second))
	w.settle()
	w.clock.SetTime(w.clock.Now().Add(time.Minute))
	w.settle()
	if w.group("myfs-csi") != nil || w.group("csi").Status.Info["clusterID"] != id {
		t.Errorf("the first is %+v, the second has clusterID %s, want %s", w.group("myfs-csi"), w.group("csi").Status.Info["clusterID"], id)
	}
	w.check(w.ceph.Client().SubvolumeRemove(t.Context(), ceph.Subvolume{Volume: "myfs", Group: "csi", Name: "csi-vol-1"}, ceph.RemoveEmpty))
	w.remove(second)
	w.settle()
	if groups, err := w.ceph.Client().SubvolumeGroupList(t.Context(), "myfs"); err != nil || w.group("csi") != nil || !slices.Contains(groups, "csi") {
		t.Errorf("the object is %+v, groups %v, %v", w.group("csi"), groups, err)
	}
}

func TestAGroupOutlivesItsObjectWithItsPreservedFileSystem(t *testing.T) {
	fs, g := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.PreserveFilesystemOnDelete = true }), group("team")
	w := newWorld(t, fs, g)
	w.settle()
	w.ceph.AddSubvolume("myfs", "team", "pvc-1", 1)
	w.remove(fs)
	w.remove(g)
	w.settle()
	if w.group("team") != nil || w.fs("myfs") != nil {
		t.Error("something is still there")
	}
	if found, err := w.ceph.Client().FSDump(t.Context()); err != nil || found.Find("myfs") == nil {
		t.Errorf("the file system is gone, %v", err)
	}
}

func TestAPreservedFileSystemOutlivesItsObjectAndIsTakenOver(t *testing.T) {
	preserve := func(fs *api.CephFilesystem) { fs.Spec.PreserveFilesystemOnDelete = true }
	fs := filesystem("myfs", preserve)
	w := newWorld(t, fs)
	w.settle()
	w.ceph.AddSubvolume("myfs", "csi", "csi-vol-1", 1)
	w.remove(fs)
	w.settle()
	if w.fs("myfs") != nil || len(w.daemons()) != 0 {
		t.Fatalf("object or metadata servers %v are still there", w.daemons())
	}
	again := filesystem("myfs", preserve, func(fs *api.CephFilesystem) { fs.UID = "fs-2" })
	w.check(w.kube.Create(t.Context(), again))
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready: %+v", c)
	}
	inside, err := w.ceph.Client().SubvolumeList(t.Context(), "myfs", "csi")
	if err != nil || !slices.Equal(inside, []string{"csi-vol-1"}) {
		t.Errorf("it holds %v (%v)", inside, err)
	}
}

func TestAPreservedFileSystemIsServedWhileClientsHaveItMounted(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.PreserveFilesystemOnDelete = true })
	w := newWorld(t, fs)
	w.settle()
	w.ceph.SetClients("myfs", 2)
	w.ceph.ForgetCommands()
	w.remove(fs)
	w.settle()
	blocked := w.condition("myfs", api.ConditionDeletionIsBlocked)
	if blocked.Status != metav1.ConditionTrue || !strings.Contains(blocked.Message, "2 clients have file system 'myfs' mounted") {
		t.Errorf("DeletionIsBlocked: %+v", blocked)
	}
	if len(w.daemons()) != 2 || w.ceph.Writes() != 0 {
		t.Errorf("%d writes, metadata servers: %v", w.ceph.Writes(), w.daemons())
	}
	w.ceph.SetClients("myfs", 0)
	w.settle()
	if w.fs("myfs") != nil || len(w.daemons()) != 0 {
		t.Errorf("object or metadata servers %v are still there", w.daemons())
	}
}

func TestClientsDoNotHoldAPreservedFileSystemThatNobodyServes(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.PreserveFilesystemOnDelete = true })
	w := newWorld(t, fs)
	w.settle()
	w.ceph.SetClients("myfs", 1)
	w.ceph.LoseMDS("myfs-a")
	w.ceph.LoseMDS("myfs-b")
	w.remove(fs)
	w.settle()
	if w.fs("myfs") != nil {
		t.Errorf("the object is still there: %+v", w.condition("myfs", api.ConditionDeletionIsBlocked))
	}
}

func TestADataPoolThatTheSpecNoLongerNamesStaysAndIsNamed(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) {
		fs.Spec.DataPools = append(fs.Spec.DataPools, api.NamedPoolSpec{Name: "more", PoolSpec: fs.Spec.DataPools[0].PoolSpec})
	})
	w := newWorld(t, fs)
	w.settle()
	w.change(fs, func() { fs.Spec.DataPools = fs.Spec.DataPools[:1] })
	w.settle()
	w.told()
	w.remove(fs)
	w.settle()
	if got := w.pools(); w.fs("myfs") != nil || !slices.Equal(got, []string{"myfs-more"}) {
		t.Errorf("pools: %v", got)
	}
	told := w.told()
	if !slices.ContainsFunc(told, func(text string) bool {
		return strings.HasPrefix(text, "Normal FilesystemRemoved Removed file system myfs; left pool myfs-more, which the spec did not name:")
	}) {
		t.Errorf("events: %v", told)
	}
}

func TestPreservedPoolsStay(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.PreservePoolsOnDelete = true })
	w := newWorld(t, fs)
	w.settle()
	w.remove(fs)
	w.settle()
	names, err := w.ceph.Client().PoolNames(t.Context())
	w.check(err)
	slices.Sort(names)
	if diff := cmp.Diff([]string{"myfs-metadata", "myfs-replicated"}, names); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	w.check(w.kube.Create(t.Context(), filesystem("myfs", func(fs *api.CephFilesystem) { fs.UID = "fs-2" })))
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Reason != "FilesystemRefused" || !strings.Contains(c.Message, "already contains some objects") {
		t.Errorf("Ready: %+v", c)
	}
}

func TestPoolsOfAFileSystemThatTheObjectNeverHadStay(t *testing.T) {
	for name, lose := range map[string]func(*world){
		"preserved_before": func(w *world) {
			fs := w.fs("myfs")
			w.change(fs, func() { fs.Spec.PreservePoolsOnDelete = true })
			w.remove(fs)
			w.settle()
			w.check(w.kube.Create(w.t.Context(), filesystem("myfs", func(fs *api.CephFilesystem) { fs.UID = "fs-2" })))
		},
		"removed_by_hand": func(w *world) {
			w.check(w.ceph.Client().FSFail(w.t.Context(), "myfs", ceph.Really))
			w.check(w.ceph.Client().FSRemove(w.t.Context(), "myfs", ceph.Really))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, filesystem("myfs"))
			w.settle()
			lose(w)
			w.settle()
			if c := w.condition("myfs", api.ConditionReady); c.Reason != "FilesystemRefused" {
				t.Fatalf("Ready: %+v", c)
			}
			w.told()
			w.remove(w.fs("myfs"))
			w.settle()
			if w.fs("myfs") != nil {
				t.Fatal("the object is still there")
			}
			if got := w.pools(); !slices.Equal(got, []string{"myfs-metadata", "myfs-replicated"}) {
				t.Errorf("pools: %v", got)
			}
			if told := strings.Join(w.told(), "\n"); !strings.Contains(told, "Warning PoolsKept") || !strings.Contains(told, "pool myfs-replicated") {
				t.Errorf("events: %s", told)
			}
		})
	}
}

func (w *world) pools() []string {
	names, err := w.ceph.Client().PoolNames(w.t.Context())
	w.check(err)
	slices.Sort(names)
	return names
}

func TestPoolsThatNeverWereInAFileSystemGoWhenTheyAreEmpty(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.report(func(s *api.ClusterStatus) {
		api.FindCondition(s.Conditions, api.ConditionOSDsServing).Status = metav1.ConditionFalse
	})
	w.settle()
	w.answers["status"] = func(answer []byte) []byte {
		return bytes.Replace(answer, []byte(`"active+clean"`), []byte(`"unknown"`), 1)
	}
	w.remove(fs)
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); !strings.Contains(c.Message, "Waiting for Ceph to know") || len(w.pools()) != 2 {
		t.Fatalf("pools %v although nobody knows what they hold: %+v", w.pools(), c)
	}
	delete(w.answers, "status")
	w.settle()
	if w.fs("myfs") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

func TestPoolsThatHoldObjectsOfNoFileSystemStay(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.report(func(s *api.ClusterStatus) {
		api.FindCondition(s.Conditions, api.ConditionOSDsServing).Status = metav1.ConditionFalse
	})
	w.settle()
	w.answers["df"] = func(answer []byte) []byte {
		return bytes.Replace(answer, []byte(`"objects":0`), []byte(`"objects":1`), 1)
	}
	w.remove(fs)
	w.settle()
	if w.fs("myfs") != nil || len(w.pools()) != 2 {
		t.Errorf("left: %v", w.pools())
	}
}

// ahead reads objects that have been edited since the cache saw them.
type ahead struct{ client.Reader }

// Get reads an object.
func (a ahead) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	err := a.Reader.Get(ctx, key, obj, opts...)
	obj.SetGeneration(obj.GetGeneration() + 1)
	return err
}

func TestPoolsAreOnlyDeletedForTheNewestSpec(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.remove(fs)
	w.ceph.LoseReply("fs rm")
	if err := w.pass(); err == nil {
		t.Fatal("the crash was not noticed")
	}
	w.live = ahead{w.kube}
	w.restart()
	w.settle()
	if w.fs("myfs") == nil || len(w.pools()) != 2 {
		t.Errorf("pools %v, although the object has changed", w.pools())
	}
	w.live = w.kube
	w.restart()
	w.settle()
	if w.fs("myfs") != nil || len(w.pools()) != 0 {
		t.Errorf("left: %v", w.pools())
	}
}

func TestWhatIsMadeDuringTheLastLookKeepsAFileSystem(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	w.remove(fs)
	w.ceph.Before("fs subvolume ls", func() {
		w.ceph.Before("fs subvolume ls", func() { w.ceph.AddSubvolume("myfs", "csi", "late", 1) })
	})
	w.settle()
	if w.fs("myfs") == nil {
		t.Fatal("a subvolume was lost")
	}
	if c := w.condition("myfs", api.ConditionDeletionIsBlocked); !strings.Contains(c.Message, "csi/late") {
		t.Errorf("DeletionIsBlocked: %+v", c)
	}
}

func TestADeletionEndsWhatACrashLeftOfAMetadataServer(t *testing.T) {
	fs := filesystem("myfs", func(fs *api.CephFilesystem) { fs.Spec.MetadataServer.ActiveCount = 2 })
	w := newWorld(t, fs)
	w.settle()
	w.change(fs, func() { fs.Spec.MetadataServer.ActiveCount = 1 })
	w.ceph.LoseReply("config rm")
	for w.pass() == nil {
		w.play()
	}
	w.restart()
	w.remove(fs)
	w.settle()
	for _, id := range []string{"myfs-a", "myfs-b", "myfs-c", "myfs-d"} {
		if _, left := w.ceph.User("mds." + id); left {
			t.Errorf("the key of %s is left", id)
		}
	}
}

func TestACrashAnywhereInADeletionLosesNothing(t *testing.T) {
	for _, prefix := range []string{"fs fail", "fs rm", "osd pool delete", "auth rm", "config rm"} {
		t.Run(prefix, func(t *testing.T) {
			fs := filesystem("myfs")
			w := newWorld(t, fs)
			w.settle()
			w.remove(fs)
			w.ceph.LoseReply(prefix)
			if err := w.pass(); err == nil {
				t.Fatal("the crash was not noticed")
			}
			w.restart()
			if prefix == "fs fail" {
				// What is made between two looks keeps the file system.
				w.ceph.AddSubvolume("myfs", "csi", "late", 1)
				w.settle()
				if c := w.condition("myfs", api.ConditionDeletionIsBlocked); !strings.Contains(c.Message, "csi/late") {
					t.Fatalf("DeletionIsBlocked: %+v", c)
				}
				w.check(w.ceph.Client().SubvolumeRemove(t.Context(), ceph.Subvolume{Volume: "myfs", Group: "csi", Name: "late"}, ceph.RemoveEmpty))
			}
			w.settle()
			if w.fs("myfs") != nil {
				t.Errorf("the object is still there: %+v", w.condition("myfs", api.ConditionReady))
			}
		})
	}
}

func TestACrashAtEveryWriteEndsInTheSameFileSystem(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; at < 40; at += testenv.Stride(4) {
			w := newWorld(t, filesystem("myfs"), group("team"))
			w.crashAt, w.after = at, after
			for range 60 {
				if err := w.pass(); err != nil {
					break
				}
				w.play()
			}
			crashed := w.writes >= at
			w.crashAt = 0
			w.restart()
			w.settle()
			if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue || len(w.daemons()) != 2 {
				t.Fatalf("crash at write %d (after %t): %+v, %v", at, after, c, w.daemons())
			}
			if !crashed {
				break
			}
		}
	}
}

func TestAClusterWaitsForItsFileSystems(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	w.settle()
	cluster := w.newCluster()
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster))
	if !slices.Contains(cluster.Finalizers, "ceph.rook.io/mds-manager") {
		t.Fatalf("finalizers: %v", cluster.Finalizers)
	}
	w.remove(cluster)
	w.settle()
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster))
	w.remove(fs)
	w.settle()
	if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the cluster is still there: %v (%v)", cluster.Finalizers, err)
	}
}

func TestWhatWasAskedOfAClusterThatNeverCameToBeGoes(t *testing.T) {
	fs, g := filesystem("myfs"), group("team")
	w := newWorld(t, fs, g)
	connection := w.newCluster().Status.Connection
	w.report(func(s *api.ClusterStatus) { s.Connection = nil })
	w.settle()
	w.remove(g)
	w.remove(fs)
	w.settle()
	if w.group("team") != nil || w.fs("myfs") != nil {
		t.Error("something is still there")
	}

	made := []client.Object{
		filesystem("myfs", func(fs *api.CephFilesystem) { fs.UID = "fs-2" }), group("team", func(g *api.CephFilesystemSubVolumeGroup) { g.UID = "g-2" }),
		filesystem("other", func(fs *api.CephFilesystem) { fs.UID = "fs-3" }),
	}
	for _, obj := range made {
		w.check(w.kube.Create(t.Context(), obj))
	}
	w.report(func(s *api.ClusterStatus) { s.Connection = connection })
	w.settle()
	w.report(func(s *api.ClusterStatus) { s.Connection = nil })
	for _, obj := range made {
		w.remove(obj)
	}
	w.settle()
	if w.group("team") == nil || w.fs("other") == nil {
		t.Error("what was made was let go")
	}
}

func TestKeysAreInNoMessage(t *testing.T) {
	w := newWorld(t, filesystem("myfs"))
	w.settle()
	var secrets corev1.SecretList
	w.check(w.kube.List(t.Context(), &secrets, client.MatchingLabels{"app": "rook-ceph-mds"}))
	if len(secrets.Items) != 2 {
		t.Fatalf("%d Secrets, want 2", len(secrets.Items))
	}
	user, _ := w.ceph.User("mds.myfs-a")
	for _, text := range append(w.told(), w.running["myfs-a"]) {
		if strings.Contains(text, user.Secret) {
			t.Errorf("an event holds a key: %s", text)
		}
	}
}

func TestASecondClusterOfANamespaceIsNotHeldAndNotAsked(t *testing.T) {
	fs := filesystem("myfs")
	w := newWorld(t, fs)
	second := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: "a-second", CreationTimestamp: metav1.NewTime(w.clock.Now()),
		Finalizers: []string{names.Finalizer("mds-manager"), "test/keep"}}}
	w.check(w.kube.Create(t.Context(), second)) // listed before the other
	w.settle()
	if c := w.condition("myfs", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("the file system is %+v", c)
	}
	w.check(w.kube.Get(t.Context(), client.ObjectKeyFromObject(second), second))
	if diff := cmp.Diff([]string{"test/keep"}, second.Finalizers); diff != "" || len(second.Status.Conditions) > 0 {
		t.Errorf("the second cluster has finalizers (-want +got):\n%s\nand conditions %+v", diff, second.Status.Conditions)
	}
}
