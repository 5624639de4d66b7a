// Package setup puts the controllers of osd-manager together. It decides
// nothing.
package setup

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/drain"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/prepare"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/report"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/rollout"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/selection"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/teardown"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/session"
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
		&corev1.ConfigMap{}:             only(pod.AppOSD),
		&batchv1.Job{}:                  only(pod.AppPrepare, pod.AppCleanup),
		&corev1.Pod{}:                   only(pod.AppOSD, pod.AppPrepare, pod.AppCleanup),
	}
}

// Environment is what the controllers work with.
type Environment struct {
	Kube client.Client
	// Live reads past the cache.
	Live   client.Reader
	Dialer ceph.Dialer
	Events func(controller string) events.EventRecorder
	Clock  clock.PassiveClock
	// Random makes keys.
	Random io.Reader
	// Image is our own, which carries the programs that run in the pods of OSDs.
	Image string
}

// Service is all controllers of osd-manager.
type Service struct {
	Selection selection.Reconciler
	Prepare   prepare.Reconciler
	Rollout   rollout.Reconciler
	Drain     drain.Reconciler
	Report    report.Reconciler
	Teardown  teardown.Reconciler
}

// New puts the controllers together.
func New(env Environment) *Service {
	applier := func(name string) apply.Applier { return apply.Applier{Client: env.Kube, Live: env.Live, Manager: name} }
	sessions := &session.Pool{Service: fleet.Service, Secrets: env.Live, Dialer: env.Dialer}
	return &Service{
		Selection: selection.Reconciler{Client: env.Kube, Apply: applier(selection.Name), Events: env.Events(selection.Name)},
		Prepare: prepare.Reconciler{Client: env.Kube, Apply: applier(prepare.Name), Events: env.Events(prepare.Name),
			Sessions: sessions, Clock: env.Clock, Random: env.Random, Image: env.Image},
		Rollout: rollout.Reconciler{Client: env.Kube, Live: env.Live, Apply: applier(rollout.Name), Events: env.Events(rollout.Name),
			Sessions: sessions, Token: disruption.Token{Client: env.Kube, Reader: env.Live, Service: fleet.Service}, Clock: env.Clock, Image: env.Image},
		Drain: drain.Reconciler{Client: env.Kube, Live: env.Live, Apply: applier(drain.Name), Events: env.Events(drain.Name),
			Sessions: sessions, Clock: env.Clock},
		Report: report.Reconciler{Client: env.Kube, Apply: applier(report.Name), Events: env.Events(report.Name),
			Sessions: sessions, Clock: env.Clock},
		Teardown: teardown.Reconciler{Client: env.Kube, Apply: applier(teardown.Name), Events: env.Events(teardown.Name),
			Sessions: sessions, Clock: env.Clock, Image: env.Image},
	}
}

// Register adds all controllers to the manager.
func (s *Service) Register(mgr manager.Manager) error {
	for _, one := range []interface{ Register(manager.Manager) error }{
		&s.Selection, &s.Prepare, &s.Rollout, &s.Drain, &s.Report, &s.Teardown,
	} {
		if err := one.Register(mgr); err != nil {
			return fmt.Errorf("register %T: %w", one, err)
		}
	}
	return nil
}

// Controllers registers the controllers of a service that runs in a cluster.
func Controllers(mgr manager.Manager, dialer ceph.Dialer, image string) error {
	return New(Environment{
		Kube: mgr.GetClient(), Live: mgr.GetAPIReader(), Dialer: dialer, Events: mgr.GetEventRecorder,
		Clock: clock.RealClock{}, Random: rand.Reader, Image: image,
	}).Register(mgr)
}
