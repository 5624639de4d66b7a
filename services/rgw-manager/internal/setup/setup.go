// Package setup puts the controllers of rgw-manager together. It decides nothing.
package setup

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
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

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/claim"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/multisite"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/realm"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/report"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/setupjob"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/store"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/syncstate"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/user"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zone"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/zonegroup"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/serving"
	"github.com/rook-ceph/rook-ceph/shared/session"
)

// Scheme knows the kinds that the service reads and writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(api.AddToScheme(scheme))
	utilruntime.Must(objectbucket.AddToScheme(scheme))
	return scheme
}

// Narrow keeps everything out of the cache that is not about gateways: other
// daemons' objects, and above all other Secrets. Claims, and users beside those in the
// namespaces of stores, are looked for in the given namespaces, or in all if there are
// none.
func Narrow(options *cache.Options, claims []string) {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{names.LabelApp: gateway.App})}
	users := &api.CephObjectStoreUser{}
	options.ByObject = map[client.Object]cache.ByObject{
		&corev1.Secret{}: ours, &corev1.ConfigMap{}: ours, &corev1.Service{}: ours, &appsv1.Deployment{}: ours,
		&batchv1.Job{}: ours, &policyv1.PodDisruptionBudget{}: ours, &discoveryv1.EndpointSlice{}: ours,
		&objectbucket.ObjectBucketClaim{}: {Namespaces: in(claims)},
		users:                             {Namespaces: in(claims)},
	}
	if len(claims) > 0 {
		maps.Copy(options.ByObject[users].Namespaces, options.DefaultNamespaces)
	}
}

func in(namespaces []string) map[string]cache.Config {
	if len(namespaces) == 0 {
		namespaces = []string{cache.AllNamespaces}
	}
	all := map[string]cache.Config{}
	for _, namespace := range namespaces {
		all[namespace] = cache.Config{}
	}
	return all
}

// Environment is what the controllers work with.
type Environment struct {
	Kube client.Client
	// Live reads past the cache.
	Live   client.Reader
	Dialer ceph.Dialer
	Events func(controller string) events.EventRecorder
	Clock  clock.PassiveClock
	// Image is our own, which brings our programs into pods.
	Image string
	// Transport makes what requests to gateways are sent through; nil is the usual.
	Transport func(*tls.Config) http.RoundTripper
	// Setup, Gateways and Sights take the place of Jobs and of requests to gateways in
	// tests; nil for these.
	Setup    store.Setup
	Gateways store.Gateways
	Sights   zone.Sights
	// Namespaces are those that may hold stores; empty for all.
	Namespaces []string
	// Claims is what the installation says about bucket claims; nil leaves them to
	// others.
	Claims *claim.Config
}

// setups has setup Jobs run for the objects of one controller.
func (e Environment) setups(name string) setupjob.Runner {
	return setupjob.Runner{Client: e.Kube, Live: e.Live, Apply: apply.Applier{Client: e.Kube, Manager: name}, Clock: e.Clock, Image: e.Image}
}

// Service is all controllers of rgw-manager.
type Service struct {
	Store     store.Reconciler
	Realm     realm.Reconciler
	ZoneGroup zonegroup.Reconciler
	Zone      zone.Reconciler
	User      user.Reconciler
	Report    report.Reconciler
	// Claim is nil when claims are left to others.
	Claim *claim.Reconciler
}

// New puts the controllers together.
func New(env Environment) *Service {
	applier := func(name string) apply.Applier { return apply.Applier{Client: env.Kube, Live: env.Live, Manager: name} }
	gateways := &ops.Pool{Reader: env.Live, Transport: env.Transport, Clock: env.Clock}
	if env.Gateways == nil {
		env.Gateways = store.Admins{Pool: gateways}
	}
	if env.Sights == nil {
		env.Sights = syncstate.Gateways{Pool: gateways}
	}
	if env.Setup == nil {
		env.Setup = store.Jobs{Runner: env.setups(store.Name)}
	}
	sessions := &session.Pool{Service: gateway.Service, Secrets: env.Live, Dialer: env.Dialer}
	base := func(name string) multisite.Base {
		return multisite.Base{Client: env.Kube, Live: env.Live, Apply: applier(name), Events: env.Events(name), Sessions: sessions,
			Clock: env.Clock, Jobs: env.setups(name)}
	}
	s := &Service{
		Store: store.Reconciler{Client: env.Kube, Live: env.Live, Apply: applier(store.Name), Events: env.Events(store.Name),
			Sessions: sessions, Setup: env.Setup, Gateways: env.Gateways, Clock: env.Clock, Image: env.Image},
		Realm:     realm.Reconciler{Base: base(realm.Name)},
		ZoneGroup: zonegroup.Reconciler{Base: base(zonegroup.Name)},
		Zone:      zone.Reconciler{Base: base(zone.Name), Sights: env.Sights},
		User: user.Reconciler{Client: env.Kube, Live: env.Live, Apply: applier(user.Name), Events: env.Events(user.Name),
			Gateways: gateways, Clock: env.Clock, Namespaces: env.Namespaces},
		Report: report.Reconciler{Reporter: serving.Reporter{Client: env.Kube, Apply: applier(report.Name), Sessions: sessions, Clock: env.Clock,
			Daemons: report.Daemons(env.Kube)}},
	}
	if env.Claims != nil {
		s.Claim = &claim.Reconciler{Client: env.Kube, Live: env.Live, Apply: applier(claim.Name), Events: env.Events(claim.Name),
			Gateways: claim.Clients{Pool: gateways}, Config: *env.Claims, Clock: env.Clock}
	}
	return s
}

// Register adds all controllers to the manager.
func (s *Service) Register(mgr manager.Manager) error {
	all := []interface{ Register(manager.Manager) error }{&s.Store, &s.Realm, &s.ZoneGroup, &s.Zone, &s.User, &s.Report}
	if s.Claim != nil {
		all = append(all, s.Claim)
	}
	for _, one := range all {
		if err := one.Register(mgr); err != nil {
			return fmt.Errorf("register %T: %w", one, err)
		}
	}
	return nil
}

// Controllers registers the controllers of a service that runs in a cluster.
func Controllers(mgr manager.Manager, dialer ceph.Dialer, image string, served []string, claims *claim.Config) error {
	return New(Environment{
		Kube: mgr.GetClient(), Live: mgr.GetAPIReader(), Dialer: dialer, Events: mgr.GetEventRecorder,
		Clock: clock.RealClock{}, Image: image, Namespaces: served, Claims: claims,
	}).Register(mgr)
}
