package mgr

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	dashboardUser  = "admin"
	dashboardRole  = "administrator"
	certificateKey = "mgr/dashboard/crt"
)

// applyDashboard makes the dashboard's certificate and login. What the dashboard
// does not answer yet is tried again later; nothing waits for it.
func (p *pass) applyDashboard(ctx context.Context) (step.Outcome, error) {
	if !p.cluster.Spec.Dashboard.Enabled || p.missing[moduleDashboard] != "" {
		return step.Done, nil
	}
	if !slices.Contains(p.seen.mgrmap.Modules, moduleDashboard) {
		p.rolling = "Waiting for the dashboard to start" // just enabled
		return step.Done, nil
	}
	secret, err := p.password(ctx)
	if err != nil {
		return step.None, err
	}
	if secret == nil {
		return step.Done, nil
	}
	err = p.serveDashboard(ctx, secret)
	if errors.Is(err, ceph.ErrInvalid) || errors.Is(err, ceph.ErrUnreachable) || errors.Is(err, ceph.ErrAgain) {
		p.rolling = "Waiting for the dashboard to answer"
		return step.Done, nil
	}
	return step.Done, err
}

func (p *pass) serveDashboard(ctx context.Context, secret *corev1.Secret) error {
	if p.cluster.Spec.Dashboard.SSL {
		exists, err := p.seen.client.ConfigKeyExists(ctx, certificateKey)
		if err != nil {
			return err
		}
		if !exists {
			if err := p.seen.client.DashboardCreateSelfSignedCert(ctx); err != nil {
				return err
			}
		}
	}
	return p.applyLogin(ctx, secret)
}

// applyLogin makes the login. The password of one that is there is set only when
// its Secret was made anew: people may have changed it.
func (p *pass) applyLogin(ctx context.Context, secret *corev1.Secret) error {
	_, pending := secret.Annotations[annotationPending]
	_, err := p.seen.client.DashboardUserShow(ctx, dashboardUser)
	switch {
	case errors.Is(err, ceph.ErrNotFound):
		err = p.seen.client.DashboardUserCreate(ctx, dashboardUser, dashboardRole, secret.Data[passwordKey])
	case err == nil && pending:
		err = p.seen.client.DashboardUserSetPassword(ctx, dashboardUser, secret.Data[passwordKey])
	}
	if err != nil || !pending {
		return err
	}
	return p.confirmPassword(ctx, secret)
}
