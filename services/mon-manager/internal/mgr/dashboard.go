package mgr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	dashboardUser  = "admin"
	dashboardRole  = "administrator"
	passwordLength = 20
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
	password, err := p.password(ctx)
	if err != nil {
		return step.None, err
	}
	err = p.serveDashboard(ctx, password)
	if errors.Is(err, ceph.ErrInvalid) || errors.Is(err, ceph.ErrUnreachable) || errors.Is(err, ceph.ErrAgain) {
		p.rolling = "Waiting for the dashboard to answer"
		return step.Done, nil
	}
	return step.Done, err
}

func (p *pass) serveDashboard(ctx context.Context, password string) error {
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
	_, err := p.seen.client.DashboardUserShow(ctx, dashboardUser)
	if errors.Is(err, ceph.ErrNotFound) {
		return p.seen.client.DashboardUserCreate(ctx, dashboardUser, dashboardRole, []byte(password))
	}
	return err
}

// password reads the password that people know, or makes one.
func (p *pass) password(ctx context.Context) (string, error) {
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: p.cluster.Namespace, Name: names.DashboardPassword}
	err := p.Client.Get(ctx, key, &secret)
	if client.IgnoreNotFound(err) != nil {
		return "", fmt.Errorf("read Secret %s: %w", key.Name, err)
	}
	if known := string(secret.Data["password"]); known != "" {
		return known, nil
	}
	fresh, err := Password(p.Random)
	if err != nil {
		return "", err
	}
	return fresh, p.apply.Set(ctx, p.cluster, passwordSecret(p.cluster, fresh))
}

// Password makes a password of letters, digits and signs that no shell eats.
func Password(random io.Reader) (string, error) {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_.:+=%"
	raw := make([]byte, passwordLength)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make password: %w", err)
	}
	for i := range raw {
		raw[i] = alphabet[int(raw[i])%len(alphabet)]
	}
	return string(raw), nil
}
