package setup_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
)

// applied is how a Job ends that succeeds.
func applied(wanted rgwadmin.Wanted) rgwadmin.Result {
	result := rgwadmin.Result{Outcome: rgwadmin.Applied, Hash: wanted.Hash(), Changed: true}
	if wanted.Remove != rgwadmin.Keep {
		return result
	}
	result.Known.RealmID = "id-" + wanted.Realm.Name
	if wanted.ZoneGroup != nil {
		result.Known.ZoneGroupID = "id-" + wanted.ZoneGroup.Name
	}
	if wanted.Zone != nil {
		result.Known.ZoneID = "id-" + wanted.Zone.Name
	}
	return result
}

// refused makes Jobs end that refuse.
func refused(reason, message string) func(rgwadmin.Wanted) rgwadmin.Result {
	return func(wanted rgwadmin.Wanted) rgwadmin.Result {
		return rgwadmin.Result{Outcome: rgwadmin.Refused, Reason: reason, Message: message, Hash: wanted.Hash()}
	}
}

// runJobs lets the Jobs end that have not, and tells whether there were any.
func (w *world) runJobs() bool {
	w.t.Helper()
	var list batchv1.JobList
	w.check(w.kube.List(w.t.Context(), &list))
	acted := false
	for i := range list.Items {
		if len(list.Items[i].Status.Conditions) == 0 {
			w.runJob(&list.Items[i])
			acted = true
		}
	}
	return acted
}

func (w *world) runJob(job *batchv1.Job) {
	w.t.Helper()
	wanted := w.wantedOf(job)
	for _, volume := range job.Spec.Template.Spec.Volumes {
		if volume.Secret != nil && volume.Secret.SecretName != "rook-ceph-rgw-manager-keyring" && w.secret(volume.Secret.SecretName) == nil {
			w.t.Fatalf("Job %s waits for Secret %s", job.Name, volume.Secret.SecretName)
		}
	}
	if wanted.Remove == rgwadmin.Keep && !slices.Contains(w.pools(), ".rgw.root") {
		w.t.Error("a Job ran before the pool was there that says which realms there are")
	}
	result := w.job(wanted)
	w.wishes = append(w.wishes, wanted)
	body, err := rgwadmin.Encode(result)
	w.check(err)
	w.check(w.kube.Create(w.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%d", job.Name, len(w.wishes)), Labels: map[string]string{batchv1.JobNameLabel: job.Name}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "setup", State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Message: string(body), FinishedAt: metav1.NewTime(w.clock.Now())}}}}},
	}))
	end := batchv1.JobComplete
	if result.Outcome != rgwadmin.Applied {
		end = batchv1.JobFailed
	}
	job.Status.Conditions = []batchv1.JobCondition{{Type: end, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.clock.Now())}}
	w.check(w.kube.Status().Update(w.t.Context(), job))
}

// wantedOf is what a Job shall bring about, as its program reads it.
func (w *world) wantedOf(job *batchv1.Job) rgwadmin.Wanted {
	w.t.Helper()
	var wanted rgwadmin.Wanted
	for _, variable := range job.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "RGW_WANTED" {
			w.check(json.Unmarshal([]byte(strings.ReplaceAll(variable.Value, "$$", "$")), &wanted))
		}
	}
	return wanted
}
