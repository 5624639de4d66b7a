package setup_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

func TestBlankDisksBecomeServingOSDsAndThenAllIsQuiet(t *testing.T) {
	w := newWorld(t, 3)
	w.settle()
	w.oneOSDPerDisk(3)
	if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
		t.Errorf("OSDsServing: %+v", c)
	}
	if c := w.condition(api.ConditionMonitorsInQuorum); c.Status != metav1.ConditionTrue {
		t.Errorf("another writer's condition was touched: %+v", c)
	}
	status := w.live().Status
	if status.OSDs == nil || *status.OSDs != (api.OSDsStatus{Planned: 3, Up: 3, In: 3}) {
		t.Errorf("osds: %+v", status.OSDs)
	}
	if got := status.Daemons[api.RoleOSD]; got != (api.DaemonStatus{Version: "18.2.7-0", Image: cephImage}) {
		t.Errorf("daemons.osd: %+v", got)
	}
	for _, disk := range w.disks() {
		if s := disk.Status.Selection; s == nil || s.State != inventory.SelectionPrepared || s.OSDID == nil {
			t.Errorf("disk %s: %+v", disk.Name, s)
		}
	}
	for _, osd := range w.osds() {
		if osd.Status.State != inventory.OSDStateRunning || osd.Status.Version == "" || osd.Spec.DeviceClass != "ssd" {
			t.Errorf("CephOSD %s: %+v %+v", osd.Name, osd.Spec, osd.Status)
		}
	}
	var jobs batchv1.JobList
	w.check(w.kube.List(t.Context(), &jobs))
	if len(jobs.Items) != 0 {
		t.Errorf("%d prepare Jobs are left", len(jobs.Items))
	}

	before := w.writes
	w.ceph.ForgetCommands()
	w.check(w.pass())
	w.check(w.pass())
	w.restart()
	w.check(w.pass())
	if w.writes != before || w.ceph.Writes() != 0 {
		t.Errorf("a settled cluster was sent %d writes, Ceph %d", w.writes-before, w.ceph.Writes())
	}
}

func TestACrashAtAnyWriteEndsInTheSameOSDs(t *testing.T) {
	reference := newWorld(t, 1)
	reference.settle()
	for _, after := range []bool{false, true} {
		for at := 1; at <= reference.writes; at += testenv.Stride(6) {
			w := newWorld(t, 1)
			w.crashAt, w.after = at, after
			for range 60 {
				if err := w.pass(); err != nil {
					break
				}
				w.play()
			}
			w.crashAt = 0
			w.restart()
			w.settle()
			w.oneOSDPerDisk(1)
			if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
				t.Fatalf("crash at write %d (after it: %v): %+v", at, after, c)
			}
		}
	}
}

func TestALostReplyOfOSDNewMakesNoSecondOSD(t *testing.T) {
	w := newWorld(t, 1)
	w.ceph.LoseReply("osd new")
	if err := w.pass(); err == nil {
		t.Fatal("the loss went unnoticed")
	}
	w.settle()
	w.oneOSDPerDisk(1)
}

func TestANewDiskBecomesAnOSDWithoutAnEditAndWithoutDisturbingOthers(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	w.playing = true
	w.check(w.kube.Create(t.Context(), blankDisk(2)))
	w.playing = false
	served := true
	for range 20 {
		w.check(w.pass())
		served = served && w.condition(api.ConditionOSDsServing).Status == metav1.ConditionTrue
		w.play()
	}
	w.oneOSDPerDisk(3)
	if !served {
		t.Error("OSDsServing was False while a disk joined")
	}
}

func TestNoEditOfTheSpecRemovesAnOSD(t *testing.T) {
	for name, change := range map[string]func(*api.CephCluster){
		"nothing is selected": func(c *api.CephCluster) { c.Spec.Storage = api.StorageScopeSpec{} },
		"another filter":      func(c *api.CephCluster) { c.Spec.Storage.DeviceFilter = "^nvme" },
		"a typo in a node": func(c *api.CephCluster) {
			c.Spec.Storage.UseAllNodes = false
			c.Spec.Storage.Nodes = []api.Node{{Name: "nod1"}}
		},
		"a broken filter":      func(c *api.CephCluster) { c.Spec.Storage.DeviceFilter = "(" },
		"placement elsewhere":  func(c *api.CephCluster) { c.Spec.Storage.ScheduleAlways = true },
		"cleanup is confirmed": func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 2)
			w.settle()
			w.edit(change)
			w.settle()
			w.oneOSDPerDisk(2)
			var deployments appsv1.DeploymentList
			w.check(w.kube.List(t.Context(), &deployments))
			if len(deployments.Items) != 2 {
				t.Errorf("%d Deployments are left", len(deployments.Items))
			}
		})
	}
}

func TestADiskThatFailsIsNamedAndDelaysNobody(t *testing.T) {
	w := newWorld(t, 3)
	w.verdict["node1-sdb"] = receipt.Receipt{Outcome: receipt.Failed, Reason: "PreparationFailed", Message: "run ceph-osd --mkfs: input/output error", Device: "sdb"}
	w.verdict["node1-sdc"] = receipt.Receipt{Outcome: receipt.Refused, Reason: "Filesystem", Message: "claim sdc: has ext4", Device: "sdc"}
	w.settle()
	if c := w.condition(api.ConditionOSDsServing); c.Status != metav1.ConditionTrue {
		t.Errorf("OSDsServing: %+v", c)
	}
	want := map[string]inventory.SelectionState{
		"node1-sda": inventory.SelectionPrepared, "node1-sdb": inventory.SelectionFailed, "node1-sdc": inventory.SelectionRefused,
	}
	for _, disk := range w.disks() {
		if s := disk.Status.Selection; s == nil || s.State != want[disk.Name] {
			t.Errorf("disk %s: %+v, want %s", disk.Name, s, want[disk.Name])
		}
	}
	warnings := 0
	for _, text := range w.told() {
		if strings.HasPrefix(text, "Warning") {
			warnings++
		}
	}
	if warnings != 2 {
		t.Errorf("%d warnings, want one for each disk", warnings)
	}
	before := w.writes
	w.check(w.pass())
	if w.writes != before {
		t.Errorf("%d writes while nothing changes", w.writes-before)
	}
}

func TestADiskThatFailedIsTriedAgainWhenItChanged(t *testing.T) {
	w := newWorld(t, 1)
	w.verdict["node1-sda"] = receipt.Receipt{Outcome: receipt.Failed, Reason: "PreparationFailed", Message: "broken"}
	w.settle()
	if c := w.condition(api.ConditionOSDsServing); c.Reason != api.ReasonPreparationFailed {
		t.Errorf("OSDsServing: %+v", c)
	}
	delete(w.verdict, "node1-sda")
	w.playing = true
	disk := w.diskByID("wwn:sda")
	disk.Status.Serial = "replaced-cable"
	w.check(w.kube.Status().Update(t.Context(), disk))
	var pods = &batchv1.JobList{}
	w.check(w.kube.List(t.Context(), pods))
	w.playing = false
	w.deletePods()
	w.settle()
	w.oneOSDPerDisk(1)
}

func TestLostCephOSDsAreTakenBackFromTheirDisksAndNothingRestarts(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	before := w.templates()
	w.playing = true
	for _, osd := range w.osds() {
		w.check(w.kube.Delete(t.Context(), &osd))
	}
	w.playing = false
	w.settle()
	w.oneOSDPerDisk(2)
	if after := w.templates(); after != before {
		t.Errorf("pods were changed:\n%s\n%s", before, after)
	}
}

func TestAnOSDThatCephDoesNotKnowIsNotAdopted(t *testing.T) {
	w := newWorld(t, 1)
	w.label(w.diskByID("wwn:sda"), "aaaaaaaa-2222-3333-4444-555555555555", 7)
	w.settle()
	if ids := w.ceph.OSDIDs(); len(ids) != 0 {
		t.Errorf("OSDs %v were made", ids)
	}
	if s := w.disks()[0].Status.Selection; s == nil || s.State != inventory.SelectionRefused || !strings.Contains(s.Message, "osd.7") {
		t.Errorf("selection: %+v", s)
	}
	var deployments appsv1.DeploymentList
	w.check(w.kube.List(t.Context(), &deployments))
	if len(deployments.Items) != 0 {
		t.Error("it was started")
	}
}

func TestADeletedClusterLeavesNothingButTheData(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	w.check(w.kube.Delete(t.Context(), w.live()))
	for range 10 {
		w.check(w.pass())
	}
	if err := w.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, &api.CephCluster{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the CephCluster is still there: %v", err)
	}
	if len(w.osds()) != 0 {
		t.Error("CephOSDs are left")
	}
	if got := w.ceph.OSDIDs(); len(got) != 2 {
		t.Errorf("Ceph's OSDs were touched: %v", got)
	}
	for _, disk := range w.disks() {
		if disk.Status.OSD == nil {
			t.Errorf("disk %s lost its OSD", disk.Name)
		}
	}
}

func TestAConfirmedCleanupWipesTheDisksOfThisClusterOnly(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	w.playing = true
	foreign := blankDisk(2)
	foreign.Status.OSD = &inventory.OSDLabel{FSID: "99999999-2222-3333-4444-555555555555", UUID: "u", Description: "main"}
	foreign.Status.Probe = &inventory.DiskProbe{State: inventory.ProbeOSD, Reason: "BlueStoreOSD"}
	w.check(w.kube.Create(t.Context(), foreign))
	w.playing = false
	w.edit(func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation })
	w.settle()
	w.check(w.kube.Delete(t.Context(), w.live()))
	for range 20 {
		w.check(w.pass())
		w.play()
	}
	for _, disk := range w.disks() {
		if own := disk.Name != foreign.Name; own == (disk.Status.OSD != nil) {
			t.Errorf("disk %s: %+v", disk.Name, disk.Status.OSD)
		}
	}
	if err := w.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, &api.CephCluster{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the CephCluster is still there: %v", err)
	}
}

func TestADiskThatCannotBeWipedBlocksTheDeletionByName(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	w.edit(func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation })
	w.verdict["node1-sdb"] = receipt.Receipt{Outcome: receipt.Failed, Reason: "WipeFailed", Message: "overwrite disk at 4096: input/output error"}
	w.check(w.kube.Delete(t.Context(), w.live()))
	for range 10 {
		w.check(w.pass())
		w.play()
	}
	c := w.condition(api.ConditionOSDsRemoved)
	if c.Status != metav1.ConditionFalse || c.Message != "Cannot wipe sdb on node node1: overwrite disk at 4096: input/output error" {
		t.Errorf("OSDsRemoved: %+v", c)
	}
	before := w.writes
	w.check(w.pass())
	if w.writes != before {
		t.Errorf("%d writes while it waits", w.writes-before)
	}
}

func TestANewImageReachesOneOSDAtATimeAndOnlyWhenCephAgrees(t *testing.T) {
	w := newWorld(t, 3)
	w.settle()
	w.protect()
	w.clock.SetTime(w.clock.Now().Add(time.Hour)) // all have been there for long
	w.edit(func(c *api.CephCluster) { c.Spec.CephVersion.Image = "ceph:v18.2.8" })
	for changed := 1; changed <= 3; changed++ {
		w.clock.SetTime(w.clock.Now().Add(time.Minute))
		for range 3 { // the node does nothing: no further pod may be stopped
			w.check(w.pass())
		}
		if got := w.running("ceph:v18.2.8"); got != changed {
			t.Fatalf("%d OSDs were changed, want %d", got, changed)
		}
		if !w.tokenHeld() {
			t.Error("an OSD was stopped without the disruption token")
		}
		w.ceph.SetPGs(map[string]int{"active+undersized+degraded": 5, "active+clean": 11})
		w.play()
		for range 3 { // placement groups are worse than before: wait
			w.clock.SetTime(w.clock.Now().Add(time.Minute))
			w.check(w.pass())
		}
		if got := w.running("ceph:v18.2.8"); got != changed {
			t.Fatalf("%d OSDs were changed while placement groups recovered", got)
		}
		w.ceph.SetPGs(nil)
	}
	w.clock.SetTime(w.clock.Now().Add(time.Minute))
	w.settle()
	if w.tokenHeld() {
		t.Error("the token was not given back")
	}
	before := w.writes
	w.check(w.pass())
	if w.writes != before {
		t.Errorf("%d writes after the update", w.writes-before)
	}
}

func TestNoOSDIsStoppedWhileAnotherServiceHoldsTheToken(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	w.playing = true
	other := disruption.Token{Client: w.kube, Service: "mon-manager"}
	grant, err := other.Acquire(t.Context(), w.live(), "restart mon.a", w.clock.Now())
	w.playing = false
	if err != nil || !grant.Held {
		t.Fatalf("%+v, %v", grant, err)
	}
	w.edit(func(c *api.CephCluster) { c.Spec.CephVersion.Image = "ceph:v18.2.8" })
	for range 3 {
		w.check(w.pass())
		w.play()
	}
	if got := w.running("ceph:v18.2.8"); got != 0 {
		t.Errorf("%d OSDs were changed", got)
	}
	w.playing = true
	w.check(other.Release(t.Context(), w.live()))
	w.playing = false
	w.clock.SetTime(w.clock.Now().Add(time.Minute))
	w.settle()
	if got := w.running("ceph:v18.2.8"); got != 2 {
		t.Errorf("%d OSDs were changed, want all", got)
	}
}

func TestOSDsWaitForTheMgrs(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.edit(func(c *api.CephCluster) { c.Spec.CephVersion.Image = "ceph:v18.2.8" })
	w.mgrs(cephImage)
	w.settle()
	if got := w.running("ceph:v18.2.8"); got != 0 {
		t.Error("an OSD is newer than the mgrs")
	}
	w.mgrs("ceph:v18.2.8")
	w.clock.SetTime(w.clock.Now().Add(time.Minute))
	w.settle()
	if got := w.running("ceph:v18.2.8"); got != 1 {
		t.Error("the OSD was not updated")
	}
}

func TestANewImageOfOursRestartsNothing(t *testing.T) {
	w := newWorld(t, 2)
	w.settle()
	before := w.templates()
	w.image = "rook-ceph/osd-manager:v2"
	w.restart()
	w.settle()
	if w.templates() != before {
		t.Error("pods were changed")
	}
}
