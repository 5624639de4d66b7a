package report

import (
	appsv1 "k8s.io/api/apps/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/serving"
)

// Serving sums up the file systems of a cluster.
func Serving(list []api.CephFilesystem, generation int64) api.Condition {
	objects := make([]serving.Object, len(list))
	for i := range list {
		objects[i] = serving.Object{Kind: "CephFilesystem", Name: list[i].Name, Going: !list[i].DeletionTimestamp.IsZero()}
		if list[i].Status != nil {
			objects[i].Conditions = list[i].Status.Conditions
		}
	}
	words := serving.Words{Condition: api.ConditionFilesystemsServing, Starting: api.ReasonFilesystemsStarting, Daemons: "metadata servers"}
	return serving.Sum(words, objects, generation)
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
