//go:build envtest

package setup_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// endJobs lets Jobs succeed, as a kubelet and the controller of Jobs do.
func (s *served) endJobs(ctx context.Context) error {
	var list batchv1.JobList
	if err := s.client.List(ctx, &list, client.InNamespace(s.namespace)); err != nil {
		return err
	}
	for i := range list.Items {
		job := &list.Items[i]
		switch {
		case !job.DeletionTimestamp.IsZero():
			job.Finalizers = nil
			if err := s.client.Update(ctx, job); client.IgnoreNotFound(err) != nil {
				return err
			}
		case len(job.Status.Conditions) == 0:
			if err := s.endJob(ctx, job); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *served) endJob(ctx context.Context, job *batchv1.Job) error {
	var wanted rgwadmin.Wanted
	for _, variable := range job.Spec.Template.Spec.Containers[0].Env {
		if variable.Name == "RGW_WANTED" {
			if err := json.Unmarshal([]byte(strings.ReplaceAll(variable.Value, "$$", "$")), &wanted); err != nil {
				return err
			}
		}
	}
	body, err := rgwadmin.Encode(applied(wanted))
	if err != nil {
		return err
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: job.Name, Labels: map[string]string{batchv1.JobNameLabel: job.Name}},
		Spec:       job.Spec.Template.Spec,
	}
	if err := s.client.Create(ctx, pod); client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "setup", State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{Message: string(body), FinishedAt: metav1.Now()}}}}
	if err := s.client.Status().Update(ctx, pod); err != nil {
		return err
	}
	now := metav1.Now()
	job.Status.StartTime, job.Status.CompletionTime, job.Status.Succeeded = &now, &now, 1
	for _, typ := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: typ, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	return s.client.Status().Update(ctx, job)
}

func TestARealServerTakesARealmWithItsJobs(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	realm, group, zone := someRealm(), someGroup(), someZone(func(z *api.CephObjectZone) { z.Spec.CustomEndpoints = []string{"http://paris:80"} })
	all := []client.Object{zone, group, realm}
	for _, one := range all {
		one.SetNamespace(s.namespace)
		one.SetUID("")
		s.check(s.client.Create(ctx, one))
	}
	jobs := func(ctx context.Context) bool {
		err := s.endJobs(ctx)
		if err != nil && !apierrors.IsConflict(err) {
			t.Log(err)
		}
		return err == nil
	}
	s.await("all are ready", func(ctx context.Context) bool {
		return jobs(ctx) && s.client.Get(ctx, client.ObjectKeyFromObject(zone), zone) == nil && zone.Status != nil && zone.Status.Phase == api.PhaseReady
	})
	for _, one := range all {
		s.check(s.client.Delete(ctx, one))
	}
	s.await("all are gone", func(ctx context.Context) bool {
		if !jobs(ctx) {
			return false
		}
		for _, one := range all {
			if !apierrors.IsNotFound(s.client.Get(ctx, client.ObjectKeyFromObject(one), one)) {
				return false
			}
		}
		return true
	})
}
