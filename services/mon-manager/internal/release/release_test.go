package release

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

func cluster(image string) *api.CephCluster {
	return &api.CephCluster{Spec: api.ClusterSpec{CephVersion: api.CephVersionSpec{Image: image}}}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"ceph version 18.2.7 (6b0e988052) reef (stable)":                "18.2.7-0",
		"ceph version 20.2.4-12.el9cp (6b0e988052) tentacle (stable)\n": "20.2.4-12",
		"ceph: not found": "",
		"":                "",
	} {
		if got := Parse(text); got != want {
			t.Errorf("Parse(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestRefuse(t *testing.T) {
	for name, test := range map[string]struct {
		running, wanted string
		says            string
	}{
		"a_new_cluster":          {"", "18.2.7-0", ""},
		"the_same":               {"18.2.7-0", "18.2.7-0", ""},
		"an_upgrade":             {"18.2.7-0", "20.2.4-0", ""},
		"a_release_too_old":      {"", "17.2.9-0", "supported are 18 to 20"},
		"a_release_too_new":      {"", "21.2.0-0", "supported are 18 to 20"},
		"a_downgrade":            {"20.2.4-0", "18.2.7-0", "cannot go back"},
		"a_downgrade_by_a_build": {"18.2.7-3", "18.2.7-2", "cannot go back"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Refuse(cluster("img"), test.running, test.wanted)
			if (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
				t.Errorf("got %q, want it to say %q", got, test.says)
			}
		})
	}
	allowed := cluster("img")
	allowed.Spec.CephVersion.AllowUnsupported = true
	if got := Refuse(allowed, "", "21.1.0-0"); got != "" {
		t.Errorf("refused although allowed: %s", got)
	}
	if got := Refuse(allowed, "17.2.9-0", "20.2.4-0"); !strings.Contains(got, "Use Ceph 19 first") {
		t.Errorf("a jump over two releases: %q", got)
	}
}

func TestReadTellsWhatIsWaitedFor(t *testing.T) {
	pod := func(state corev1.ContainerState) []corev1.Pod {
		return []corev1.Pod{{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "version", Image: "img", State: state}}}}}
	}
	if got := read(cluster("img"), nil); got.Version != "" || got.Reason != api.ReasonDetectingVersion {
		t.Errorf("without a pod: %+v", got)
	}
	done := pod(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: "ceph version 18.2.7 (x)"}})
	if got := read(cluster("img"), done); got.Version != "18.2.7-0" {
		t.Errorf("with a result: %+v", got)
	}
	missing := pod(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}})
	if got := read(cluster("img"), missing); got.Reason != api.ReasonImageMissing || !strings.Contains(got.Waiting, `"img"`) {
		t.Errorf("without the image: %+v", got)
	}
}

func TestTheSameImageHasTheSameJob(t *testing.T) {
	again := Job(cluster("a"))
	if *Job(cluster("a")).Name != *again.Name || *Job(cluster("a")).Name == *Job(cluster("b")).Name {
		t.Error("the name of the Job does not follow the image")
	}
}

func TestTheJobMayPullTheImageAsDaemonsDo(t *testing.T) {
	if got := Job(cluster("a")).Spec.Template.Spec.ServiceAccountName; got == nil || *got != names.DaemonAccount {
		t.Errorf("the Job runs as %v, which knows no secret to pull with", got)
	}
}
