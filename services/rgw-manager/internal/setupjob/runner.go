package setupjob

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// turn is how soon to look whether another Job about the realm has ended.
	turn = 2 * time.Second
	// lag is how soon to look again for a message that lags behind its Job.
	lag = 2 * time.Second
	// patience is how long a message may lag behind.
	patience = time.Minute
	// again is when a Job that was given up is made anew.
	again = 5 * time.Minute
)

// +kubebuilder:rbac:namespace=cluster,groups=batch,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:namespace=cluster,groups="",resources=pods,verbs=list

// Runner has rgw-setup run.
type Runner struct {
	Client client.Client
	// Live reads pods, which are not cached.
	Live  client.Reader
	Apply apply.Applier
	Clock clock.PassiveClock
	// Image is our own: it carries rgw-setup and the cephlet.
	Image string
}

// Ensure is Done, with what was brought about, when the Job for this wish has
// succeeded. Otherwise the outcome says what it waits for, or why it failed. The
// change of a Job brings back whoever owns it.
func (r Runner) Ensure(ctx context.Context, cluster *api.CephCluster, owner client.Object, wanted rgwadmin.Wanted) (rgwadmin.Result, step.Outcome, error) {
	none := rgwadmin.Result{}
	gvk, err := apiutil.GVKForObject(owner, r.Client.Scheme())
	if err != nil {
		return none, step.None, fmt.Errorf("find kind of %s: %w", owner.GetName(), err)
	}
	jobs, err := r.jobs(ctx, owner.GetNamespace())
	if err != nil {
		return none, step.None, err
	}
	name := Name(gvk.Kind, owner.GetName(), wanted)
	mine, err := r.sort(ctx, jobs, name, digest(gvk.Kind, owner.GetName()))
	if err != nil {
		return none, step.None, err
	}
	if mine != nil && metav1.IsControlledBy(mine, owner) && mine.DeletionTimestamp.IsZero() {
		return r.follow(ctx, mine, wanted)
	}
	if other := busy(jobs, name, digest(wanted.Realm.Name)); other != "" {
		return none, step.Retry(turn, api.ReasonSettingUp, fmt.Sprintf("Waiting for Job %s", other)), nil
	}
	if mine != nil {
		// Of an object of this name that is gone, or on its way out.
		return none, step.Retry(turn, api.ReasonSettingUp, fmt.Sprintf("Waiting for Job %s to be gone", name)), r.remove(ctx, mine)
	}
	desired, err := job(cluster, gvk.Kind, owner, wanted, r.Image)
	if err != nil {
		return none, step.None, err
	}
	if err := r.Apply.Set(ctx, owner, desired); err != nil {
		return none, step.None, err
	}
	return none, settingUp(), nil
}

// sort finds the Job of a name, and has those removed that are about what the same
// object wanted in the past.
func (r Runner) sort(ctx context.Context, jobs []batchv1.Job, name, owner string) (*batchv1.Job, error) {
	var mine *batchv1.Job
	for i := range jobs {
		switch one := &jobs[i]; {
		case one.Name == name:
			mine = one
		case one.Labels[labelOwner] == owner:
			if err := r.remove(ctx, one); err != nil {
				return nil, err
			}
		}
	}
	return mine, nil
}

func settingUp() step.Outcome {
	return step.Wait(api.ReasonSettingUp, "Waiting for the Job that sets up the realm")
}

// jobs are the setup Jobs of a namespace.
func (r Runner) jobs(ctx context.Context, namespace string) ([]batchv1.Job, error) {
	var list batchv1.JobList
	err := r.Client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{names.LabelApp: gateway.App}, client.HasLabels{labelRealm})
	if err != nil {
		return nil, fmt.Errorf("list setup Jobs: %w", err)
	}
	return list.Items, nil
}

// busy names another Job about the realm that has not ended. Two at once could
// both change a period, of which one would be lost.
func busy(jobs []batchv1.Job, name, realm string) string {
	for i := range jobs {
		if one := &jobs[i]; one.Name != name && one.Labels[labelRealm] == realm && (!ended(one) || !one.DeletionTimestamp.IsZero()) {
			return one.Name
		}
	}
	return ""
}

func ended(job *batchv1.Job) bool {
	return has(job, batchv1.JobComplete) || has(job, batchv1.JobFailed)
}

func has(job *batchv1.Job, typ batchv1.JobConditionType) bool {
	for _, c := range job.Status.Conditions {
		if c.Type == typ && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

// follow tells what became of a Job.
func (r Runner) follow(ctx context.Context, job *batchv1.Job, wanted rgwadmin.Wanted) (rgwadmin.Result, step.Outcome, error) {
	none := rgwadmin.Result{}
	if !ended(job) && job.Status.Failed == 0 {
		return none, settingUp(), nil
	}
	result, err := r.message(ctx, job, wanted)
	unreadable := errors.Is(err, rgwadmin.ErrMalformed)
	if err != nil && !unreadable {
		return none, step.None, err
	}
	switch {
	case result.Outcome == rgwadmin.Applied && has(job, batchv1.JobComplete):
		return result, step.Done, nil
	case !ended(job):
		return none, step.Wait(api.ReasonSetupFailed, "The Job that sets up the realm is tried again: "+said(result)), nil
	}
	outcome, err := r.giveUp(ctx, job, result)
	return none, outcome, err
}

// giveUp tells why a Job has ended without success, and removes it when it is time
// to try again.
func (r Runner) giveUp(ctx context.Context, job *batchv1.Job, result rgwadmin.Result) (step.Outcome, error) {
	since := r.Clock.Since(endOf(job))
	switch {
	case result.Outcome == "" && since < patience:
		return step.Retry(lag, api.ReasonSettingUp, "Waiting for the result of the Job that sets up the realm"), nil
	case since >= again || has(job, batchv1.JobComplete):
		return step.Retry(turn, api.ReasonSetupFailed, "The Job that sets up the realm is made anew: "+said(result)), r.remove(ctx, job)
	case result.Reason == rgwadmin.ReasonBucketsExist:
		// Whoever asked finds out itself when the buckets are gone, and asks anew.
		return step.Retry(turn, result.Reason, result.Message), r.remove(ctx, job)
	case result.Outcome == rgwadmin.Refused:
		outcome := step.Stall(result.Reason, result.Message)
		outcome.After = max(time.Second, again-since)
		return outcome, nil
	}
	return step.Retry(max(time.Second, again-since), api.ReasonSetupFailed, said(result)), nil
}

func said(result rgwadmin.Result) string {
	if result.Message == "" {
		return "it left no message; see the log of its pods"
	}
	return result.Message
}

func endOf(job *batchv1.Job) time.Time {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed {
			return c.LastTransitionTime.Time
		}
	}
	return job.CreationTimestamp.Time
}

// message is what the youngest pod of a Job left behind; an empty one while there
// is none. What speaks of another wish is unreadable.
func (r Runner) message(ctx context.Context, job *batchv1.Job, wanted rgwadmin.Wanted) (rgwadmin.Result, error) {
	var pods corev1.PodList
	err := r.Live.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job.Name})
	if err != nil {
		return rgwadmin.Result{}, fmt.Errorf("list pods of Job %s: %w", job.Name, err)
	}
	var youngest *corev1.ContainerStateTerminated
	for i := range pods.Items {
		for _, status := range pods.Items[i].Status.ContainerStatuses {
			now := status.State.Terminated
			if status.Name == containerSetup && now != nil && (youngest == nil || youngest.FinishedAt.Before(&now.FinishedAt)) {
				youngest = now
			}
		}
	}
	if youngest == nil {
		return rgwadmin.Result{}, nil
	}
	result, err := rgwadmin.Parse(youngest.Message)
	if err != nil {
		return rgwadmin.Result{}, fmt.Errorf("read message of Job %s: %w", job.Name, err)
	}
	if result.Hash != wanted.Hash() {
		return rgwadmin.Result{}, fmt.Errorf("message of Job %s is about something else: %w", job.Name, rgwadmin.ErrMalformed)
	}
	return result, nil
}

// remove deletes a Job, which stays in sight until its pods are gone, so that two
// never run at once.
func (r Runner) remove(ctx context.Context, job *batchv1.Job) error {
	if !job.DeletionTimestamp.IsZero() {
		return nil
	}
	uid := job.UID
	err := r.Client.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationForeground), client.Preconditions{UID: &uid})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete Job %s: %w", job.Name, err)
	}
	return nil
}
