package report

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// Serving sums up the file systems of a cluster.
func Serving(list []api.CephFilesystem, generation int64) api.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) api.Condition {
		return condition.New(api.ConditionFilesystemsServing, status, reason, message, generation)
	}
	var waiting, upgrading []string
	for _, fs := range list {
		if !fs.DeletionTimestamp.IsZero() {
			continue
		}
		ready := ready(&fs)
		switch {
		case ready == nil || ready.Status != metav1.ConditionTrue:
			waiting = append(waiting, describe(&fs, ready))
		case ready.Reason == api.ReasonUpgrading:
			upgrading = append(upgrading, fs.Name)
		}
	}
	switch {
	case len(list) == 0:
		return set(metav1.ConditionTrue, api.ReasonNotRequested, "")
	case len(waiting) > 0:
		return set(metav1.ConditionFalse, api.ReasonFilesystemsStarting, problem.Sentence(waiting))
	case len(upgrading) > 0:
		return set(metav1.ConditionTrue, api.ReasonUpgrading, "Updating the metadata servers of "+problem.Names(upgrading))
	}
	return set(metav1.ConditionTrue, api.ReasonAsExpected, "")
}

func ready(fs *api.CephFilesystem) *api.Condition {
	if fs.Status == nil {
		return nil
	}
	return condition.Find(fs.Status.Conditions, api.ConditionReady)
}

func describe(fs *api.CephFilesystem, ready *api.Condition) string {
	if ready == nil {
		return fmt.Sprintf("CephFilesystem %s is not reported on yet", fs.Name)
	}
	return fmt.Sprintf("CephFilesystem %s: %s", fs.Name, ready.Message)
}

// CommonImage is the image that all metadata servers run; "" while they differ
// or one does not run.
func CommonImage(list []appsv1.Deployment) string {
	common := ""
	for _, d := range list {
		image := ""
		for _, container := range d.Spec.Template.Spec.Containers {
			if container.Name == "mds" {
				image = container.Image
			}
		}
		runs := d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas > 0 && d.Status.AvailableReplicas > 0
		if !runs || common != "" && common != image {
			return ""
		}
		common = image
	}
	return common
}
