// Package serving reports on CephClusters for a service whose daemons serve objects of
// some kind: a condition that sums the objects up, what the daemons run, and a
// finalizer that stays as long as an object needs the cluster.
//
// It reads the CephCluster, the objects and the Deployments beside it, asks Ceph once
// for the version of a new image, and writes the status and the finalizer of the
// CephCluster.
package serving

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/owner"
	"github.com/rook-ceph/rook-ceph/shared/session"
)

// versionRetry is how soon to ask again what a new image contains, each time
// twice as late as before, and versionRecheck the latest.
const (
	versionRetry   = 2 * time.Second
	versionRecheck = 2 * time.Minute
)

// Daemons are those that a service runs.
type Daemons struct {
	// Service is its name, Role that of the daemons in the status, and App the label of
	// their Deployments.
	Service, Role, App string
	// Serving sums up the objects of a cluster.
	Serving func(ctx context.Context, cluster *api.CephCluster) (api.Condition, error)
	// Dependents are empty lists of the kinds whose objects need the cluster.
	Dependents func() []client.ObjectList
	// Image is what all Deployments run; "" while they differ or one does not run.
	Image func(list []appsv1.Deployment) string
	// Version is what Ceph says that all of them run; "" while they differ.
	Version func(ctx context.Context, conn ceph.Client, list []appsv1.Deployment) (string, error)
}

// Reporter reports on CephClusters.
type Reporter struct {
	Client   client.Client
	Apply    apply.Applier
	Sessions *session.Pool
	Clock    clock.PassiveClock
	Daemons  Daemons

	// waits holds, by UID of the cluster, how long was waited for a version last.
	waits sync.Map
}

// Reconcile publishes whether the objects are served.
func (r *Reporter) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	other, err := owner.Other(ctx, r.Client, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	if other != "" {
		return r.release(ctx, cluster)
	}
	if !cluster.DeletionTimestamp.IsZero() {
		return r.letGo(ctx, cluster)
	}
	if cluster.Spec.External.Enable {
		return reconcile.Result{}, nil
	}
	if finalizer := names.Finalizer(r.Daemons.Service); !controllerutil.ContainsFinalizer(cluster, finalizer) {
		err := r.Apply.Finalizer(ctx, cluster, finalizer)
		if apierrors.IsConflict(err) {
			return reconcile.Result{RequeueAfter: time.Second}, nil
		}
		if err != nil {
			return reconcile.Result{}, err
		}
	}
	serving, err := r.Daemons.Serving(ctx, cluster)
	if err != nil {
		return reconcile.Result{}, err
	}
	run, result, err := r.run(ctx, cluster)
	piece := api.ClusterStatus{Conditions: condition.Merge(cluster.Status.Conditions, r.Clock.Now(), serving)}
	if run != nil && *run != (api.DaemonStatus{}) { // nothing to say is no object
		piece.Daemons = map[string]api.DaemonStatus{r.Daemons.Role: *run}
	}
	return result, errors.Join(err, r.Apply.Status(ctx, cluster, piece))
}

// run is what all daemons run; nil if there are none. Ceph is asked only when the image
// is not the one that was reported before.
func (r *Reporter) run(ctx context.Context, cluster *api.CephCluster) (*api.DaemonStatus, reconcile.Result, error) {
	var list appsv1.DeploymentList
	err := r.Client.List(ctx, &list, client.InNamespace(cluster.Namespace), client.MatchingLabels{names.LabelApp: r.Daemons.App})
	if err != nil {
		return nil, reconcile.Result{}, fmt.Errorf("list Deployments: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, reconcile.Result{}, nil
	}
	before, image := cluster.Status.Daemons[r.Daemons.Role], r.Daemons.Image(list.Items)
	switch {
	case image == "":
		return &api.DaemonStatus{}, reconcile.Result{}, nil
	case image == before.Image && before.Version != "":
		return &before, reconcile.Result{}, nil
	}
	version, err := r.version(ctx, cluster, list.Items)
	if err == nil && version == "" {
		return &api.DaemonStatus{Image: image}, reconcile.Result{RequeueAfter: r.wait(cluster)}, nil
	}
	r.waits.Delete(cluster.UID)
	return &api.DaemonStatus{Image: image, Version: version}, reconcile.Result{}, err
}

// version is "" while Ceph cannot be asked, too.
func (r *Reporter) version(ctx context.Context, cluster *api.CephCluster, list []appsv1.Deployment) (string, error) {
	conn, outcome, err := r.Sessions.Client(ctx, cluster)
	if err != nil || !outcome.IsDone() {
		return "", err
	}
	return r.Daemons.Version(ctx, conn, list)
}

// wait is how long to wait for a version that is not known yet.
func (r *Reporter) wait(cluster *api.CephCluster) time.Duration {
	next := versionRetry
	if last, ok := r.waits.Load(cluster.UID); ok {
		next = min(2*last.(time.Duration), versionRecheck)
	}
	r.waits.Store(cluster.UID, next)
	return next
}

// letGo removes our finalizer once no object of ours is left.
func (r *Reporter) letGo(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	for _, list := range r.Daemons.Dependents() {
		if err := r.Client.List(ctx, list, client.InNamespace(cluster.Namespace)); err != nil {
			return reconcile.Result{}, fmt.Errorf("list dependents: %w", err)
		}
		if meta.LenList(list) > 0 {
			return reconcile.Result{}, nil // their end brings us back
		}
	}
	r.waits.Delete(cluster.UID)
	r.Sessions.Forget(client.ObjectKeyFromObject(cluster))
	return r.release(ctx, cluster)
}

// release removes our finalizer.
func (r *Reporter) release(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	err := r.Apply.RemoveFinalizer(ctx, cluster, names.Finalizer(r.Daemons.Service))
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: time.Second}, nil
	}
	return reconcile.Result{}, err
}
