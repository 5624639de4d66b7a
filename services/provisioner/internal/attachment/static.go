package attachment

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
)

// retireStatic releases a static volume from a holder that Kubernetes does not list: its
// VolumeAttachment vanished without us. The node itself makes sure that it is the only one.
func (p *pass) retireStatic(ctx context.Context, volume *corev1.PersistentVolume) error {
	source := volume.Spec.CSI
	at, ok := volumes.ReadStatic(source.VolumeHandle, source.VolumeAttributes)
	if !ok {
		return nil
	}
	secrets, err := p.secrets(ctx, source.ControllerPublishSecretRef)
	if err != nil {
		return err
	}
	holder, err := p.volumes.StaticHolder(ctx, at, secrets)
	if err != nil || holder == "" || holder == p.attachment.Spec.NodeName {
		return err
	}
	wanted, err := p.wanted(ctx, volume.Name, holder)
	if err != nil || wanted {
		return err
	}
	return p.letGoStatic(ctx, source, holder)
}

// letGoStatic ends the hold of a node on a static volume with whatever evidence there is.
func (p *pass) letGoStatic(ctx context.Context, source *corev1.CSIPersistentVolumeSource, node string) error {
	at, ok := volumes.ReadStatic(source.VolumeHandle, source.VolumeAttributes)
	if !ok {
		return nil
	}
	secrets, err := p.secrets(ctx, source.ControllerPublishSecretRef)
	if err != nil {
		return err
	}
	evidence, err := p.evidence(ctx, source.VolumeHandle, node)
	if err != nil {
		return err
	}
	return p.volumes.ReleaseStatic(ctx, at, node, evidence, secrets)
}
