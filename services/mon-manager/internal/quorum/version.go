package quorum

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/release"
)

// checkImage refuses a spec without an image.
func (p *pass) checkImage(context.Context) (step.Outcome, error) {
	if p.cluster.Spec.CephVersion.Image == "" {
		return step.Stall(api.ReasonImageMissing, "`spec.cephVersion.image` is empty; set it to the Ceph image to run"), nil
	}
	return step.Done, nil
}

// detectVersion learns which version the specified image holds, once per image.
// A new cluster does not wait for that; daemons that run are not moved to an
// image before its version is known and allowed.
func (p *pass) detectVersion(ctx context.Context) (step.Outcome, error) {
	image, version := p.cluster.Spec.CephVersion.Image, ""
	if known := p.status.version; known != nil && known.Image == image {
		version = known.Version
	}
	if version != "" && !p.pending() {
		return step.Done, release.Forget(ctx, p.apply, p.cluster)
	}
	if version == "" {
		found, err := release.Detect(ctx, p.apply, p.cluster)
		if err != nil {
			return step.None, err
		}
		if found.Version == "" {
			p.hold, p.holdReason = found.Waiting, found.Reason
			return step.Done, nil
		}
		version = found.Version
	}
	reason, err := p.refuse(ctx, version)
	if err != nil {
		return step.None, err
	}
	if reason != "" {
		p.hold, p.holdReason = reason, api.ReasonImageUnsupported
		return step.Done, nil
	}
	p.status.version = &api.ClusterVersion{Image: image, Version: version}
	return step.Done, release.Forget(ctx, p.apply, p.cluster)
}

// refuse returns why daemons that run must not be moved to the version, or "".
func (p *pass) refuse(ctx context.Context, version string) (string, error) {
	running, err := p.running(ctx)
	return release.Refuse(p.cluster, running, version), err
}

// running is the highest version that any daemon of the cluster runs, or has run
// as far as is known; "" while none does. A monitor that was given an image may
// have turned its store into what only that version reads, even if it does not
// answer now.
func (p *pass) running(ctx context.Context) (string, error) {
	found := []string{p.cluster.Status.Daemons[api.RoleMon].Version}
	if known := p.status.version; known != nil && slices.Contains(p.images(), known.Image) {
		found = append(found, known.Version)
	}
	if status := p.cluster.Status.CephStatus; status != nil && status.Versions != nil {
		for text := range status.Versions.Overall {
			found = append(found, release.Parse(text))
		}
	}
	if p.seen.client != nil {
		versions, err := p.seen.client.Versions(ctx)
		if err != nil {
			return "", err
		}
		for text := range versions["overall"] {
			found = append(found, release.Parse(text))
		}
	}
	return release.Newest(found...), nil
}

// images are the Ceph images of the Deployments of monitors, in the order of
// their names.
func (p *pass) images() []string {
	var list []string
	for _, name := range p.seen.facts.Deployed {
		list = append(list, image(p.seen.deployments[name]))
	}
	return list
}

// pending tells whether a monitor runs another image than the specified one.
func (p *pass) pending() bool {
	return slices.ContainsFunc(p.images(), func(image string) bool { return image != p.cluster.Spec.CephVersion.Image })
}

// image returns the image to give to a monitor. While the specified one is not
// to be used, a new monitor of a cluster that lives gets what the others run.
func (p *pass) image(member Member) string {
	wanted := p.cluster.Spec.CephVersion.Image
	others := p.images()
	if p.hold == "" || p.seen.deployments[member.Name] != nil || !p.seen.facts.Born || len(others) == 0 {
		return wanted
	}
	if known := p.status.version; known != nil && slices.Contains(others, known.Image) {
		return known.Image
	}
	return others[0]
}

// withImage returns the cluster as if it asked for the image.
func (p *pass) withImage(image string) *api.CephCluster {
	if image == p.cluster.Spec.CephVersion.Image {
		return p.cluster
	}
	cluster := p.cluster.DeepCopy()
	cluster.Spec.CephVersion.Image = image
	return cluster
}

// image returns the Ceph image of a monitor's Deployment.
func image(d *appsv1.Deployment) string {
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == "mon" {
			return c.Image
		}
	}
	return ""
}
