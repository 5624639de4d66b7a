package setup_test

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// keyring is the Secret of the only OSD.
func (w *world) keyring() *corev1.Secret {
	w.t.Helper()
	osd := w.osds()[0]
	secret := &corev1.Secret{}
	w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: fleet.Keyring(&osd)}, secret))
	return secret
}

func (w *world) loseKeyring() {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	w.check(w.kube.Delete(w.t.Context(), w.keyring()))
}

func TestALostKeyringComesBackFromCeph(t *testing.T) {
	for name, lose := range map[string]func(*world){
		"the Secret": (*world).loseKeyring,
		"the key in it": func(w *world) {
			secret := w.keyring()
			delete(secret.Data, fleet.Key)
			w.check(w.kube.Update(w.t.Context(), secret))
		},
		"the keyring file in it": func(w *world) {
			secret := w.keyring()
			delete(secret.Data, "keyring")
			w.check(w.kube.Update(w.t.Context(), secret))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.settle()
			before := w.keyring()
			w.playing = true
			lose(w)
			w.playing = false
			w.settle()
			w.oneOSDPerDisk(1)
			if after := w.keyring(); string(after.Data["keyring"]) != string(before.Data["keyring"]) {
				t.Errorf("keyring %q, was %q", after.Data["keyring"], before.Data["keyring"])
			}
			written := w.writes
			w.check(w.pass())
			if w.writes != written {
				t.Errorf("%d writes afterwards", w.writes-written)
			}
		})
	}
}

func TestAKeyringLostDuringPreparationIsTheOneThatCephKnows(t *testing.T) {
	t.Run("after the number was noted", func(t *testing.T) {
		w := newWorld(t, 1)
		w.check(w.pass())
		if w.osds()[0].Spec.ID == nil {
			t.Fatal("no number was noted")
		}
		w.loseKeyring()
		w.settle()
		w.oneOSDPerDisk(1)
	})
	t.Run("before the number was noted", func(t *testing.T) {
		w := newWorld(t, 1)
		w.ceph.LoseReply("osd new")
		if err := w.pass(); err == nil || w.osds()[0].Spec.ID != nil {
			t.Fatalf("the reply was not lost: %v", err)
		}
		w.loseKeyring()
		w.settle()
		w.oneOSDPerDisk(1)
	})
}

func TestALostKeyringWaitsForTheMonitors(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.loseKeyring()
	w.quorum(metav1.ConditionFalse)
	osd := w.osds()[0]
	result, err := w.service.Prepare.Reconcile(t.Context(), &osd)
	if err != nil || result.RequeueAfter == 0 {
		t.Errorf("%+v, %v: nobody looks again", result, err)
	}
	w.quorum(metav1.ConditionTrue)
	w.settle()
	w.oneOSDPerDisk(1)
}

// clone puts a copy of the first disk on a second node.
func (w *world) clone() {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	ctx := w.t.Context()
	w.check(w.kube.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node2", Labels: map[string]string{names.LabelHostname: "node2"}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}))
	twin := w.diskByID("wwn:sda").DeepCopy()
	twin.ObjectMeta = metav1.ObjectMeta{Name: "node2-sda", UID: "d2"}
	twin.Status.Node, twin.Status.Selection = "node2", nil
	w.check(w.kube.Create(ctx, twin))
}

func TestACopyOfADiskMovesNoOSDAndIsQuiet(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	place, template := w.osds()[0].Spec, w.templates()
	w.clone()
	w.settle()
	if now := w.osds()[0].Spec; now.Node != place.Node || now.Disk != place.Disk || w.templates() != template {
		t.Errorf("the OSD moved from %+v to %+v", place, now)
	}
	for _, disk := range w.disks() {
		if s := disk.Status.Selection; s == nil || s.State != inventory.SelectionRefused || s.Reason != "DuplicateIdentity" {
			t.Errorf("disk %s: %+v", disk.Name, s)
		}
	}
	if c := w.condition("DisksSelected"); c.Reason != "DuplicateIdentity" || !strings.Contains(c.Message, "sda on node node2") {
		t.Errorf("DisksSelected: %+v", c)
	}
	written := w.writes
	w.check(w.pass())
	w.check(w.pass())
	if w.writes != written {
		t.Errorf("%d writes while nothing changes", w.writes-written)
	}
}

func TestNoCopyOfADiskIsAdopted(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.clone()
	w.playing = true
	osd := w.osds()[0]
	w.check(w.kube.Delete(t.Context(), &osd))
	w.playing = false
	w.settle()
	if got := w.osds(); len(got) != 0 {
		t.Errorf("%d CephOSDs were made", len(got))
	}
}

func TestAWipeThatHangsSaysSo(t *testing.T) {
	w := newWorld(t, 1)
	w.settle()
	w.edit(func(c *api.CephCluster) { c.Spec.CleanupPolicy.Confirmation = api.DestroyDataConfirmation })
	w.check(w.kube.Delete(t.Context(), w.live()))
	w.check(w.pass())
	w.playing = true
	var jobs batchv1.JobList
	w.check(w.kube.List(t.Context(), &jobs))
	if len(jobs.Items) != 1 {
		t.Fatalf("%d Jobs", len(jobs.Items))
	}
	jobs.Items[0].Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: batchv1.JobReasonDeadlineExceeded}}
	w.check(w.kube.Status().Update(t.Context(), &jobs.Items[0]))
	w.playing = false
	w.check(w.pass())
	c := w.condition(api.ConditionOSDsRemoved)
	for _, part := range []string{"sda on node node1", "did not end within 15 minutes", "spec.cleanupPolicy.confirmation"} {
		if c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, part) {
			t.Errorf("OSDsRemoved %s %q does not say %q", c.Status, c.Message, part)
		}
	}
}
