package setupjob_test

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setupjob"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/golden"
	"github.com/rook-ceph/rook-ceph/shared/step"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const secretText = "so-secret"

func someCluster() *api.CephCluster {
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "my-cluster", UID: "c"},
		Spec:       api.ClusterSpec{DataDirHostPath: "/var/lib/rook", CephVersion: api.CephVersionSpec{Image: "ceph:v18.2.7"}},
		Status:     api.ClusterStatus{Connection: &api.Connection{FSID: "11111111-2222-3333-4444-555555555555"}},
	}
}

func someZone() *api.CephObjectZone {
	return &api.CephObjectZone{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "zone-a", UID: "z"}}
}

func someWish() rgwadmin.Wanted {
	keys := rgwadmin.KeyRef{Secret: "realm-keys", AccessKey: "access-key", SecretKey: "secret-key"}
	return rgwadmin.Wanted{
		Realm:     rgwadmin.Realm{Name: "realm", Required: true},
		ZoneGroup: &rgwadmin.ZoneGroup{Name: "group", Required: true},
		Zone:      &rgwadmin.Zone{Name: "zone-a", Endpoints: []string{"http://a$(b):80"}, SystemKeys: &keys},
		Users:     []rgwadmin.User{{ID: "system", DisplayName: "System", System: true, Keys: keys}},
	}
}

// bench is a runner with a fake API server.
type bench struct {
	t      *testing.T
	kube   client.WithWatch
	clock  *clocktesting.FakePassiveClock
	runner setupjob.Runner
}

func newBench(t *testing.T) *bench {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "realm-keys"},
		Data: map[string][]byte{"access-key": []byte("A"), "secret-key": []byte(secretText)}}
	b := &bench{t: t, kube: testenv.Fake(t, someCluster(), someZone(), secret).Build(),
		clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	b.runner = setupjob.Runner{Client: b.kube, Live: b.kube, Apply: apply.Applier{Client: b.kube, Manager: "rgw-manager.zone"}, Clock: b.clock, Image: "rook-ceph/rgw-manager:v1"}
	return b
}

func (b *bench) ensure(wanted rgwadmin.Wanted) (rgwadmin.Result, step.Outcome) {
	b.t.Helper()
	result, outcome, err := b.runner.Ensure(b.t.Context(), someCluster(), someZone(), wanted)
	if err != nil {
		b.t.Fatal(err)
	}
	return result, outcome
}

func (b *bench) jobs() []batchv1.Job {
	b.t.Helper()
	var list batchv1.JobList
	if err := b.kube.List(b.t.Context(), &list); err != nil {
		b.t.Fatal(err)
	}
	return list.Items
}

// end lets a pod of the only Job leave a message, and the Job end.
func (b *bench) end(typ batchv1.JobConditionType, result rgwadmin.Result) {
	b.t.Helper()
	job := b.jobs()[0]
	body, err := rgwadmin.Encode(result)
	if err != nil {
		b.t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, GenerateName: job.Name + "-", Labels: map[string]string{batchv1.JobNameLabel: job.Name}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "setup",
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: string(body), FinishedAt: metav1.NewTime(b.clock.Now())}}}}},
	}
	if err := b.kube.Create(b.t.Context(), pod); err != nil {
		b.t.Fatal(err)
	}
	if typ == "" {
		job.Status.Failed++
	} else {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: typ, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(b.clock.Now())})
	}
	if err := b.kube.Status().Update(b.t.Context(), &job); err != nil {
		b.t.Fatal(err)
	}
}

func applied(wanted rgwadmin.Wanted) rgwadmin.Result {
	return rgwadmin.Result{Outcome: rgwadmin.Applied, Hash: wanted.Hash(), Known: rgwadmin.Known{RealmID: "r", ZoneID: "z"}}
}

func TestTheJobMountsKeysAndHoldsNone(t *testing.T) {
	b := newBench(t)
	if _, outcome := b.ensure(someWish()); outcome.IsDone() {
		t.Fatal("done before the Job has run")
	}
	job := b.jobs()[0]
	spec, labels := job.Spec, job.Labels
	golden.Objects(t, "job", map[string]any{"name": job.Name, "labels": labels, "spec": spec})
}

func TestAJobThatSucceededIsDoneAndTellsTheIDs(t *testing.T) {
	b := newBench(t)
	b.ensure(someWish())
	b.end(batchv1.JobComplete, applied(someWish()))
	result, outcome := b.ensure(someWish())
	if !outcome.IsDone() || result.Known.ZoneID != "z" {
		t.Errorf("%+v, %+v", result, outcome)
	}
	if n := len(b.jobs()); n != 1 {
		t.Errorf("%d Jobs", n)
	}
}

func TestAMessageAboutSomethingElseIsNotBelieved(t *testing.T) {
	b := newBench(t)
	b.ensure(someWish())
	other := someWish()
	other.Realm.Name = "other"
	b.end(batchv1.JobComplete, applied(other))
	if result, outcome := b.ensure(someWish()); outcome.IsDone() || result.Known.ZoneID != "" {
		t.Errorf("%+v, %+v", result, outcome)
	}
}

func TestAnAttemptThatFailedIsTold(t *testing.T) {
	b := newBench(t)
	b.ensure(someWish())
	b.end("", rgwadmin.Result{Outcome: rgwadmin.Failed, Reason: "SetupFailed", Message: "no answer", Hash: someWish().Hash()})
	_, outcome := b.ensure(someWish())
	if outcome.Reason != api.ReasonSetupFailed || !strings.Contains(outcome.Message, "no answer") || outcome.After != 0 {
		t.Errorf("%+v", outcome)
	}
}

func TestARefusalStallsAndIsTriedAgainLater(t *testing.T) {
	b := newBench(t)
	b.ensure(someWish())
	b.end(batchv1.JobFailed, rgwadmin.Result{Outcome: rgwadmin.Refused, Reason: "RealmExists", Message: "it is not ours", Hash: someWish().Hash()})
	_, outcome := b.ensure(someWish())
	if !outcome.IsStalled() || outcome.Reason != "RealmExists" || outcome.After <= 0 || outcome.After > 5*time.Minute {
		t.Errorf("%+v", outcome)
	}
	b.clock.SetTime(b.clock.Now().Add(6 * time.Minute))
	b.ensure(someWish())
	if n := len(b.jobs()); n != 0 {
		t.Fatalf("%d Jobs after the time to try again", n)
	}
	b.ensure(someWish())
	if n := len(b.jobs()); n != 1 {
		t.Errorf("%d Jobs; the Job was not made anew", n)
	}
}

func TestANewWishReplacesTheJobOfTheOldOne(t *testing.T) {
	b := newBench(t)
	b.ensure(someWish())
	before := b.jobs()[0].Name
	changed := someWish()
	changed.Zone.Endpoints = nil
	for range 2 { // the former Job has to be gone first
		b.ensure(changed)
	}
	jobs := b.jobs()
	if len(jobs) != 1 || jobs[0].Name == before {
		t.Errorf("Jobs %v, before %s", jobs, before)
	}
}

func TestJobsAboutOneRealmRunOneAfterTheOther(t *testing.T) {
	b := newBench(t)
	b.ensure(someWish())
	other := someZone()
	other.Name, other.UID = "zone-b", "y"
	wanted := someWish()
	wanted.Zone.Name = "zone-b"
	again := func() step.Outcome {
		t.Helper()
		_, outcome, err := b.runner.Ensure(t.Context(), someCluster(), other, wanted)
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	first := b.jobs()[0].Name
	if outcome := again(); !strings.Contains(outcome.Message, first) || outcome.After == 0 || len(b.jobs()) != 1 {
		t.Fatalf("%+v with %d Jobs", outcome, len(b.jobs()))
	}
	b.end(batchv1.JobComplete, applied(someWish()))
	if again(); len(b.jobs()) != 2 {
		t.Error("no Job was made when the other one had ended")
	}
}

func TestASettledWishLooksForNoJob(t *testing.T) {
	b := newBench(t)
	settle := func(before *api.ObjectSetupStatus) (api.ObjectSetupStatus, step.Outcome) {
		t.Helper()
		status, outcome, err := b.runner.Settle(t.Context(), someCluster(), someZone(), someWish(), before)
		if err != nil {
			t.Fatal(err)
		}
		return status, outcome
	}
	keyed := someWish()
	keyed.Keys = rgwadmin.Fingerprint("A", secretText)
	settle(nil)
	b.end(batchv1.JobComplete, applied(keyed))
	done, outcome := settle(nil)
	if !outcome.IsDone() || done.ZoneID != "z" {
		t.Fatalf("%+v, %+v", done, outcome)
	}
	if err := b.kube.DeleteAllOf(t.Context(), &batchv1.Job{}, client.InNamespace("rook-ceph")); err != nil {
		t.Fatal(err)
	}
	if again, outcome := settle(&done); !outcome.IsDone() || again != done || len(b.jobs()) != 0 {
		t.Errorf("%+v, %+v, %d Jobs", again, outcome, len(b.jobs()))
	}
}
