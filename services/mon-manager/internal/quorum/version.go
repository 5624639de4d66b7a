package quorum

import (
	"context"

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
	image := p.cluster.Spec.CephVersion.Image
	known := p.status.version
	if known == nil || known.Image != image || known.Version == "" {
		found, err := release.Detect(ctx, p.apply, p.cluster)
		if err != nil {
			return step.None, err
		}
		if found.Version == "" {
			p.hold, p.holdReason = found.Waiting, found.Reason
			return step.Done, nil
		}
		if reason := release.Refuse(p.cluster, p.running(), found.Version); reason != "" {
			p.hold, p.holdReason = reason, api.ReasonImageUnsupported
			return step.Done, nil
		}
		p.status.version = &api.ClusterVersion{Image: image, Version: found.Version}
	}
	return step.Done, release.Forget(ctx, p.apply, p.cluster)
}

// running is the version that the monitors run, "" while none does.
func (p *pass) running() string {
	return p.cluster.Status.Daemons[api.RoleMon].Version
}
