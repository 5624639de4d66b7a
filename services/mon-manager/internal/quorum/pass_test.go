package quorum

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
)

const (
	imageOld = "ceph:v18.2.7"
	imageNew = "ceph:v20.2.4"
)

// running returns a pass in which a, b and c serve, on nodes of their own.
func running(t *testing.T) (*pass, *clocktesting.FakePassiveClock) {
	t.Helper()
	owner := cluster(3, false)
	kube := testenv.Fake(t, owner.DeepCopy()).Build()
	now := clocktesting.NewFakePassiveClock(at())
	p := &pass{
		Reconciler: &Reconciler{
			Client: kube, Live: kube, Clock: now,
			Token: disruption.Token{Client: kube, Service: Name, Duration: 3 * time.Minute},
		},
		cluster: owner, apply: apply.Applier{Client: kube, Manager: Name},
	}
	p.seen.facts = Facts{
		Members: on("a", "b", "c"), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3"), Quorum: quorumOf([]string{"a", "b", "c"}, "a", "b", "c"),
		Deployed: []string{"a", "b", "c"},
	}
	p.seen.deployments = map[string]*appsv1.Deployment{}
	for _, name := range p.seen.facts.Deployed {
		p.seen.deployments[name] = deployed(name, imageOld)
	}
	p.plan = Decide(p.cluster, p.seen.facts, at())
	return p, now
}

func deployed(mon, image string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: names.Mon(mon), Generation: 1}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "mon", Image: image}}
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1}
	return d
}

func TestAMonitorInTroubleIsLookedAtAgain(t *testing.T) {
	for name, change := range map[string]*api.MonitorChange{
		"when_it_is_out_of_quorum": nil,
		"when_it_is_to_join":       {Op: api.MonitorReplace, Mon: "b", Replacement: "c"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := running(t)
			p.seen.facts.Quorum = quorumOf([]string{"a", "b", "c"}, "a", "b")
			p.plan.Change = change
			p.seen.pods = map[string][]corev1.Pod{"c": {{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "no node",
			}}}}}}
			got, err := p.settled(t.Context())
			if err != nil || got.Reason != api.ReasonMonitorsUnschedulable || got.After != poll {
				t.Errorf("%+v, %v: nobody would see that it was away for too long", got, err)
			}
		})
	}
	t.Run("also_when_something_else_is_blocked", func(t *testing.T) {
		p, _ := running(t)
		p.plan = Decide(cluster(5, false), Facts{
			Members: on("a", "b", "c"), MaxID: 2, Born: true, Nodes: nodes("n1", "n2", "n3", "n4"), Quorum: quorumOf([]string{"a", "b", "c"}, "a", "b"),
		}, at())
		p.seen.facts.Quorum = quorumOf([]string{"a", "b", "c"}, "a", "b")
		got, err := p.settled(t.Context())
		if err != nil || got.Reason != api.ReasonMonitorsOutOfQuorum || got.After != poll {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestTheServiceOfAMonitorAsksForItsAddress(t *testing.T) {
	member := Member{Name: "a", Address: "10.0.0.1"}
	if got := monService(cluster(3, false), member).Spec.ClusterIP; got == nil || *got != member.Address {
		t.Errorf("a Service that was deleted comes back with another address: %v", got)
	}
	if got := monService(cluster(3, false), Member{Name: "a"}).Spec.ClusterIP; got != nil {
		t.Errorf("a new Service asks for %q", *got)
	}
}

func TestANewMonitorGetsTheImageOfTheOthersWhileTheSpecifiedOneIsHeld(t *testing.T) {
	for name, test := range map[string]struct {
		hold, spec, member, want string
		born                     bool
	}{
		"a_new_one_while_it_is_held":                {"cannot be read", "ceph:typo", "d", imageOld, true},
		"a_new_one_once_it_is_free":                 {"", imageNew, "d", imageNew, true},
		"one_that_is_there_waits":                   {"cannot be read", "ceph:typo", "a", "ceph:typo", true},
		"the_first_ones_of_a_new_cluster_try_it_so": {"Detecting", imageNew, "d", imageNew, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := running(t)
			p.hold, p.cluster.Spec.CephVersion.Image, p.seen.facts.Born = test.hold, test.spec, test.born
			p.seen.identity.Known.FSID = fsid
			desired, err := p.deployment(Member{Name: test.member, Address: "10.0.0.9"})
			if err != nil {
				t.Fatal(err)
			}
			if got := *desired.Spec.Template.Spec.Containers[0].Image; got != test.want {
				t.Errorf("monitor %s runs %s, want %s", test.member, got, test.want)
			}
			if p.cluster.Spec.CephVersion.Image != test.spec {
				t.Error("the spec was changed")
			}
		})
	}
}

// TestNoVersionGoesBack leaves only one witness at a time of what ran.
func TestNoVersionGoesBack(t *testing.T) {
	for name, witness := range map[string]func(*pass){
		"ceph": func(p *pass) {
			fake := cephtest.New(t)
			fake.StartMon("a", "10.0.0.1")
			fake.Upgrade("20.2.4")
			asked := fake.Client()
			p.seen.client = &asked
		},
		"the_status": func(p *pass) {
			p.cluster.Status.CephStatus = &api.CephStatus{Versions: &api.CephDaemonsVersions{
				Overall: map[string]int32{"ceph version 18.2.7 (x) reef (stable)": 2, "ceph version 20.2.4 (x) tentacle (stable)": 1},
			}}
		},
		"a_Deployment": func(p *pass) {
			p.seen.deployments["a"] = deployed("a", imageNew)
			p.status.version = &api.ClusterVersion{Image: imageNew, Version: "20.2.4-0"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := running(t)
			p.cluster.Spec.CephVersion.Image = imageOld
			witness(p)
			got, err := p.refuse(t.Context(), "18.2.7-0")
			if err != nil || !strings.Contains(got, "cannot go back") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Run("an_image_that_nobody_ran_yet_is_given_up", func(t *testing.T) {
		p, _ := running(t)
		p.status.version = &api.ClusterVersion{Image: imageNew, Version: "20.2.4-0"}
		if got, err := p.refuse(t.Context(), "18.2.7-0"); err != nil || got != "" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestAnImageThatWasAllowedIsRefusedOnceTheClusterIsAhead(t *testing.T) {
	p, _ := running(t)
	p.cluster.Spec.CephVersion.Image = "ceph:v19.2.0"
	p.status.version = &api.ClusterVersion{Image: "ceph:v19.2.0", Version: "19.2.0-0"}
	p.cluster.Status.CephStatus = &api.CephStatus{Versions: &api.CephDaemonsVersions{Overall: map[string]int32{"ceph version 20.2.4 (x)": 1}}}
	if _, err := p.detectVersion(t.Context()); err != nil || p.holdReason != api.ReasonImageUnsupported {
		t.Errorf("hold %q (%s), %v", p.hold, p.holdReason, err)
	}
}

func TestTheTokenIsKeptUntilTheLastMonitorIsBack(t *testing.T) {
	p, now := running(t)
	osd := disruption.Token{Client: p.Client, Service: "osd-manager"}
	if grant, err := p.Token.Acquire(t.Context(), p.cluster, restarting, now.Now()); err != nil || !grant.Held {
		t.Fatal(grant, err)
	}
	p.seen.deployments["c"].Generation = 2 // it is in quorum still, and about to stop
	for range 5 {
		p.rolling = ""
		for _, do := range []func() error{
			func() error { _, err := p.keepToken(t.Context()); return err },
			func() error { _, err := p.settled(t.Context()); return err },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		if grant, err := osd.Acquire(t.Context(), p.cluster, "restarting OSDs", now.Now()); err != nil || grant.Held {
			t.Fatalf("somebody else disturbs while monitor c restarts: %+v, %v", grant, err)
		}
		if p.rolling == "" {
			t.Error("nobody looks again")
		}
		now.SetTime(now.Now().Add(2 * time.Minute))
	}
	p.seen.deployments["c"].Status.ObservedGeneration, p.rolling = 2, ""
	if _, err := p.keepToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if grant, err := osd.Acquire(t.Context(), p.cluster, "restarting OSDs", now.Now()); err != nil || !grant.Held {
		t.Errorf("the token is not given back: %+v, %v", grant, err)
	}
}

func TestAMonitorThatIsLeftAloneKeepsNoToken(t *testing.T) {
	p, _ := running(t)
	p.seen.deployments["c"].Labels = map[string]string{names.LabelDoNotReconcile: ""}
	p.seen.facts.Quorum = quorumOf([]string{"a", "b", "c"}, "a", "b")
	if got := p.returning(); len(got) != 0 {
		t.Errorf("%v are waited for", got)
	}
}

func TestNoTemplateChangesBeforeCephWasAsked(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nobody_asked_yet": {link.ErrNotConnected, false},
		"nobody_answers":   {ceph.ErrUnreachable, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := running(t)
			p.seen.facts.Quorum, p.seen.linkErr = nil, test.err
			desired, err := p.deployment(p.plan.Members[0])
			if err != nil {
				t.Fatal(err)
			}
			got, waiting, err := p.mayApply(t.Context(), p.plan.Members[0], desired)
			if err != nil || got != test.want || !got && waiting == "" {
				t.Errorf("%t %q, %v", got, waiting, err)
			}
		})
	}
}

func TestAnIntentionIsNotWrittenOverAnotherLeaders(t *testing.T) {
	p, _ := running(t)
	stored := &api.CephCluster{}
	if err := p.Client.Get(t.Context(), client.ObjectKeyFromObject(p.cluster), stored); err != nil {
		t.Fatal(err)
	}
	p.cluster = stored.DeepCopy()
	stored.Annotations = map[string]string{"another": "leader"}
	if err := p.Client.Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	p.plan.Change = &api.MonitorChange{Op: api.MonitorRemove, Mon: "c"}
	p.status.monitors(p.plan)
	if err := p.persist(t.Context()); !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
	p.cluster = stored
	for _, change := range []*api.MonitorChange{p.plan.Change, nil} { // its own writes are no conflict
		p.plan.Change = change
		p.status.monitors(p.plan)
		if err := p.persist(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAMonitorIsTakenOutOnlyWhileThatIsIntended(t *testing.T) {
	p, _ := running(t)
	fake := cephtest.New(t)
	for _, name := range []string{"a", "b", "c"} {
		fake.StartMon(name, "10.0.0.1")
	}
	asked := fake.Client()
	p.seen.client = &asked
	p.plan.Change = &api.MonitorChange{Op: api.MonitorRemove, Mon: "c"}
	got, err := p.takeOut(t.Context(), "c")
	if err != nil || got.After != again || !slices.Equal(fake.MonNames(), []string{"a", "b", "c"}) {
		t.Errorf("%+v, %v; monitors %v are in the map", got, err, fake.MonNames())
	}
}

func TestACopyOfADeploymentIsNotTheMonitor(t *testing.T) {
	p, _ := running(t)
	labels := map[string]string{names.LabelApp: "rook-ceph-mon", names.LabelCluster: "rook-ceph", names.LabelDaemonID: "a"}
	for _, name := range []string{"rook-ceph-mon-a", "rook-ceph-mon-a-maintenance"} {
		d := deployed("a", imageOld)
		d.Name, d.Labels = name, labels
		if err := p.Client.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	seen := observed{deployments: map[string]*appsv1.Deployment{}}
	if err := p.observeObjects(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	if got := seen.deployments["a"]; got == nil || got.Name != "rook-ceph-mon-a" || len(seen.facts.Deployed) != 1 {
		t.Errorf("monitor a is %v of %v", got, seen.facts.Deployed)
	}
}

func TestANameInTheMapIsNeverGivenAgain(t *testing.T) {
	got := highestInMap(2, quorumOf([]string{"a", "f", "storage", "Mon1"}).MonMap)
	if got != MonNumber("f") {
		t.Errorf("the highest number is %d, want %d", got, MonNumber("f"))
	}
	if got := highestInMap(9, quorumOf([]string{"a"}).MonMap); got != 9 {
		t.Errorf("the highest number fell to %d", got)
	}
}

func TestAnAddressThatCannotBeHadIsTold(t *testing.T) {
	p, _ := running(t)
	taken := errors.New("provided IP is already allocated")
	p.addresses.Add(taken)
	got, err := p.settled(t.Context())
	if err != nil || got.Reason != api.ReasonError || got.After != poll || !strings.Contains(got.Message, taken.Error()) {
		t.Errorf("%+v, %v", got, err)
	}
}
