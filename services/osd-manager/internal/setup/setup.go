// Package setup puts the controllers of osd-manager together. It decides
// nothing.
package setup

import (
	"crypto/rand"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/prepare"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/report"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/rollout"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/selection"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/session"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/teardown"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Scheme knows the kinds that the service reads and writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	utilruntime.Must(inventory.AddToScheme(scheme))
	return scheme
}

// Narrow keeps everything out of the cache that is not about OSDs: other
// daemons' objects, and above all other Secrets.
func Narrow(options *cache.Options) {
	only := func(apps ...string) cache.ByObject {
		set, err := labels.Parse(names.LabelApp + " in (" + strings.Join(apps, ",") + ")")
		utilruntime.Must(err)
		return cache.ByObject{Label: set}
	}
	options.ByObject = map[client.Object]cache.ByObject{
		&corev1.Secret{}:                only(pod.AppOSD),
		&appsv1.Deployment{}:            only(pod.AppOSD),
		&policyv1.PodDisruptionBudget{}: only(pod.AppOSD),
		&batchv1.Job{}:                  only(pod.AppPrepare),
		&corev1.Pod{}:                   only(pod.AppOSD, pod.AppPrepare),
		// The disruption tokens, and not the leases of leaders, which change all the time.
		&coordinationv1.Lease{}: {Label: anyCluster()},
	}
}

// anyCluster selects what belongs to some cluster.
func anyCluster() labels.Selector {
	set, err := labels.Parse(names.LabelCluster)
	utilruntime.Must(err)
	return set
}

// Controllers registers all controllers. Image is our own, which carries the
// programs that run in the pods of OSDs.
func Controllers(mgr manager.Manager, dialer ceph.Dialer, image string) error {
	kube := mgr.GetClient()
	applier := func(name string) apply.Applier { return apply.Applier{Client: kube, Manager: name} }
	sessions := &session.Pool{Secrets: mgr.GetAPIReader(), Dialer: dialer}
	now := clock.RealClock{}
	for name, controller := range map[string]interface{ Register(manager.Manager) error }{
		selection.Name: &selection.Reconciler{Client: kube, Apply: applier(selection.Name), Events: mgr.GetEventRecorder(selection.Name)},
		prepare.Name: &prepare.Reconciler{Client: kube, Apply: applier(prepare.Name), Events: mgr.GetEventRecorder(prepare.Name),
			Sessions: sessions, Clock: now, Random: rand.Reader, Image: image},
		rollout.Name: &rollout.Reconciler{Client: kube, Apply: applier(rollout.Name), Events: mgr.GetEventRecorder(rollout.Name),
			Sessions: sessions, Token: disruption.Token{Client: kube, Service: session.Service}, Clock: now, Image: image},
		report.Name: &report.Reconciler{Client: kube, Apply: applier(report.Name), Events: mgr.GetEventRecorder(report.Name),
			Sessions: sessions, Clock: now},
		teardown.Name: &teardown.Reconciler{Client: kube, Apply: applier(teardown.Name), Sessions: sessions},
	} {
		if err := controller.Register(mgr); err != nil {
			return fmt.Errorf("register %s: %w", name, err)
		}
	}
	return nil
}
