// Package setup puts the controllers of mds-manager together. It decides
// nothing.
package setup

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
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

	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/daemons"
	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/group"
	"github.com/rook-ceph/rook-ceph/services/mds-manager/internal/report"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/serving"
	"github.com/rook-ceph/rook-ceph/shared/session"
)

// Scheme knows the kinds that the service reads and writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	return scheme
}

// Narrow keeps everything out of the cache that is not about metadata servers:
// other daemons' objects, and above all other Secrets.
func Narrow(options *cache.Options) {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{names.LabelApp: daemons.App})}
	options.ByObject = map[client.Object]cache.ByObject{
		&corev1.Secret{}: ours, &appsv1.Deployment{}: ours, &policyv1.PodDisruptionBudget{}: ours,
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
	// Image is our own, which brings the cephlet into pods.
	Image string
}

// Service is all controllers of mds-manager.
type Service struct {
	Filesystem filesystem.Reconciler
	Group      group.Reconciler
	Report     report.Reconciler
}

// New puts the controllers together.
func New(env Environment) *Service {
	applier := func(name string) apply.Applier { return apply.Applier{Client: env.Kube, Live: env.Live, Manager: name} }
	sessions := &session.Pool{Service: daemons.Service, Secrets: env.Live, Dialer: env.Dialer}
	return &Service{
		Filesystem: filesystem.Reconciler{Client: env.Kube, Live: env.Live, Apply: applier(filesystem.Name), Events: env.Events(filesystem.Name),
			Sessions: sessions, Token: disruption.Token{Client: env.Kube, Reader: env.Live, Service: daemons.Service}, Clock: env.Clock, Image: env.Image},
		Group: group.Reconciler{Client: env.Kube, Apply: applier(group.Name), Events: env.Events(group.Name),
			Sessions: sessions, Clock: env.Clock},
		Report: report.Reconciler{Reporter: serving.Reporter{Client: env.Kube, Apply: applier(report.Name), Sessions: sessions, Clock: env.Clock,
			Daemons: report.Daemons(env.Kube)}},
	}
}

// Register adds all controllers to the manager.
func (s *Service) Register(mgr manager.Manager) error {
	for _, one := range []interface{ Register(manager.Manager) error }{&s.Filesystem, &s.Group, &s.Report} {
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
		Clock: clock.RealClock{}, Image: image,
	}).Register(mgr)
}
