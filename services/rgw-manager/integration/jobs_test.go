//go:build librados && integration

package integration_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
)

// runJobs runs the real radosgw-admin, with the service's own identity, for each Job
// that has not ended. One that fails is run again, as Kubernetes does.
func (r *rig) runJobs() {
	r.t.Helper()
	var list batchv1.JobList
	r.check(r.kube.List(r.t.Context(), &list))
	for i := range list.Items {
		if job := &list.Items[i]; len(job.Status.Conditions) == 0 {
			r.runJob(job)
		}
	}
}

func (r *rig) runJob(job *batchv1.Job) {
	r.t.Helper()
	ctx := r.t.Context()
	var wanted rgwadmin.Wanted
	for _, variable := range job.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "RGW_WANTED" {
			r.check(json.Unmarshal([]byte(strings.ReplaceAll(variable.Value, "$$", "$")), &wanted))
		}
	}
	result := r.apply(wanted)
	r.t.Logf("Job %s: %s %s", job.Name, result.Outcome, result.Message)
	body, err := rgwadmin.Encode(result)
	r.check(err)
	end := batchv1.JobComplete
	switch result.Outcome {
	case rgwadmin.Failed:
		return
	case rgwadmin.Refused:
		end = batchv1.JobFailed
	}
	now := metav1.Now()
	r.check(r.kube.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%d", job.Name, now.UnixNano()), Labels: map[string]string{batchv1.JobNameLabel: job.Name}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "setup", State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Message: string(body), FinishedAt: now}}}}},
	}))
	job.Status.Conditions = []batchv1.JobCondition{{Type: end, Status: corev1.ConditionTrue, LastTransitionTime: now}}
	r.check(r.kube.Status().Update(ctx, job))
}

// apply is what a Job does.
func (r *rig) apply(wanted rgwadmin.Wanted) rgwadmin.Result {
	r.t.Helper()
	ctx := r.t.Context()
	tool := rgwadmin.Program{Argv: r.ceph.RadosgwAdminCommand(r.key.Entity),
		Rados: r.ceph.Command("rados", "-c", r.ceph.Inside("ceph.conf"), "-n", r.key.Entity), Timeout: time.Minute}
	keys := func(ref rgwadmin.KeyRef) (string, string, error) {
		secret := &corev1.Secret{}
		err := r.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Secret}, secret)
		return string(secret.Data[ref.AccessKey]), string(secret.Data[ref.SecretKey]), err
	}
	return rgwadmin.Concluded(rgwadmin.Apply(ctx, tool, keys, wanted))
}
