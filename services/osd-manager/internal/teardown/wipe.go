package teardown

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// target is one disk that is to be wiped.
type target struct {
	disk inventory.CephDisk
	node corev1.Node
}

// targets returns the disks whose label names the cluster, on nodes that exist.
// A disk is asked for by its label, not by a CephOSD: what counts is what is on
// it. Without a confirmation there are none.
func targets(cluster *api.CephCluster, disks []inventory.CephDisk, nodes []corev1.Node) []target {
	at := cluster.Status.Connection
	if cluster.Spec.CleanupPolicy.Confirmation != api.DestroyDataConfirmation || at == nil || at.FSID == "" {
		return nil
	}
	var found []target
	for _, disk := range disks {
		label, probe := disk.Status.OSD, disk.Status.Probe
		if label == nil || label.FSID != at.FSID || probe == nil || probe.State == inventory.ProbeMissing {
			continue
		}
		for _, node := range nodes {
			if node.Name == disk.Status.Node {
				found = append(found, target{disk, node})
			}
		}
	}
	return found
}

// wipeDisks destroys the data, if that was confirmed. It is done when no disk
// bears the cluster's label any more: discover says so, not the Jobs.
func (p *pass) wipeDisks(ctx context.Context) (step.Outcome, error) {
	var disks inventory.CephDiskList
	var nodes corev1.NodeList
	if err := p.Client.List(ctx, &disks); err != nil {
		return step.None, fmt.Errorf("list CephDisks: %w", err)
	}
	if err := p.Client.List(ctx, &nodes); err != nil {
		return step.None, fmt.Errorf("list Nodes: %w", err)
	}
	var waiting, failed []string
	var problems problem.List
	for _, t := range targets(p.cluster, disks.Items, nodes.Items) {
		job, err := p.wipeJob(ctx, t)
		name := t.disk.Status.Device + " on node " + t.disk.Status.Node
		switch {
		case err != nil:
			problems.Add(err)
		case job == nil || !fleet.Ended(job):
			waiting = append(waiting, name)
		default:
			why, err := p.whyNot(ctx, job)
			problems.Add(err)
			if why == "" {
				waiting = append(waiting, name)
			} else {
				failed = append(failed, name+": "+why)
			}
		}
	}
	switch {
	case problems.Err() != nil:
		return step.None, problems.Err()
	case len(failed) > 0:
		return step.Wait(api.ReasonPreparationFailed, "Cannot wipe "+problem.Sentence(failed)), nil
	case len(waiting) > 0:
		return step.Wait(api.ReasonClusterDeleting, "Wiping "+problem.Names(waiting)), nil
	}
	return step.Done, nil
}

// wipeJob returns the Job of a disk; it makes one, and returns nil, if there is
// none.
func (p *pass) wipeJob(ctx context.Context, t target) (*batchv1.Job, error) {
	job := &batchv1.Job{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.cluster.Namespace, Name: jobName(&t.disk)}, job)
	if err == nil {
		return job, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Job %s: %w", jobName(&t.disk), err)
	}
	return nil, p.Apply.Set(ctx, p.cluster, wipe(p.cluster, &t.disk, &t.node, p.Image))
}

// whyNot returns why an ended Job did not wipe its disk; "" when it did.
func (p *pass) whyNot(ctx context.Context, job *batchv1.Job) (string, error) {
	var pods corev1.PodList
	err := p.Client.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job.Name})
	if err != nil {
		return "", fmt.Errorf("list pods of Job %s: %w", job.Name, err)
	}
	for _, pod := range pods.Items {
		for _, status := range pod.Status.ContainerStatuses {
			if status.Name == containerWipe && status.State.Terminated != nil {
				return failure(status.State.Terminated.Message, job.Name), nil
			}
		}
	}
	return unfinished(job), nil
}

// unfinished words why a Job ended without a result.
func unfinished(job *batchv1.Job) string {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue && c.Reason == batchv1.JobReasonDeadlineExceeded {
			return fmt.Sprintf("Job %s did not end within %d minutes; see whether the node is up and the disk answers; it is tried again after %d minutes, "+
				"or empty spec.cleanupPolicy.confirmation to leave the data where it is", job.Name, quickSeconds/60, retrySeconds/60)
		}
	}
	return "no result; see Job " + job.Name
}

// failure reads why a disk was not wiped; "" when it was.
func failure(message, job string) string {
	result, err := receipt.Parse(message)
	switch {
	case err != nil:
		return "no readable result; see the log of Job " + job
	case result.Outcome != receipt.Wiped:
		return result.Message
	default:
		return ""
	}
}
