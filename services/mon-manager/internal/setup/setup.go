// Package setup puts the controllers of this service together. It is the only
// place that knows all of them.
package setup

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rook-ceph/rook-ceph/shared/app"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/names"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/health"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/link"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/mgr"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/quorum"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/release"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/report"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/settings"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/users"
)

// Service is the name of the service.
const Service = "mon-manager"

const (
	// ConnectTimeout bounds one attempt to reach a cluster.
	ConnectTimeout = 3 * time.Second
	// pollInterval is the time between two looks at a cluster. With it a change
	// of health is in the status within 5 s.
	pollInterval = 3 * time.Second
	// tokenDuration is for how long the disruption token is held unrenewed.
	tokenDuration = 3 * time.Minute
)

// Controllers returns what registers the controllers with a manager.
func Controllers(dialer ceph.Dialer) func(context.Context, manager.Manager, *cli.Context) error {
	return func(_ context.Context, m manager.Manager, c *cli.Context) error {
		image := app.OwnImage(c)
		if image == "" {
			return app.Usagef("--own-image (or OWN_IMAGE) must name the image of this service, which carries the cephlet")
		}
		counted, err := link.NewMetrics(metrics.Registry)
		if err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
		return register(m, dialer, image, counted)
	}
}

func register(m manager.Manager, dialer ceph.Dialer, image string, counted link.Metrics) error {
	now := clock.RealClock{}
	links := &link.Links{Dialer: dialer, Clock: now, Interval: pollInterval, Metrics: counted}
	if err := m.Add(links); err != nil {
		return fmt.Errorf("add connections: %w", err)
	}
	return newService(environment{
		kube: m.GetClient(), live: m.GetAPIReader(), links: links, events: m.GetEventRecorder,
		clock: now, random: rand.Reader, image: image,
	}).register(m, links.Subscribe)
}

// sessions are what the controllers need of the connections to clusters.
type sessions interface {
	Ensure(types.NamespacedName, link.Target)
	Bootstrap(types.NamespacedName) (ceph.Client, error)
	Session(types.NamespacedName) (ceph.Client, error)
	Forget(types.NamespacedName)
}

// environment is what the controllers work with.
type environment struct {
	kube client.Client
	// live reads around the cache.
	live   client.Reader
	links  sessions
	events func(controller string) events.EventRecorder
	clock  clock.PassiveClock
	// random makes keys.
	random io.Reader
	// image is our own, which carries the cephlet.
	image string
}

// service is all controllers of mon-manager.
type service struct {
	quorum   quorum.Reconciler
	mgr      mgr.Reconciler
	users    users.Reconciler
	settings settings.Reconciler
	health   health.Reconciler
	report   report.Reconciler
}

// newService puts the controllers together.
func newService(env environment) *service {
	token := func(holder string) disruption.Token {
		return disruption.Token{Client: env.kube, Reader: env.live, Service: holder, Duration: tokenDuration}
	}
	return &service{
		quorum: quorum.Reconciler{
			Client: env.kube, Live: env.live, Links: env.links, Events: env.events(quorum.Name),
			Clock: env.clock, Random: env.random, Image: env.image, Token: token(quorum.Name),
		},
		mgr: mgr.Reconciler{
			Client: env.kube, Links: env.links, Events: env.events(mgr.Name),
			Clock: env.clock, Random: env.random, Image: env.image, Token: token(mgr.Name),
		},
		users:    users.Reconciler{Client: env.kube, Links: env.links, Clock: env.clock},
		settings: settings.Reconciler{Client: env.kube, Links: env.links, Events: env.events(settings.Name), Clock: env.clock},
		health:   health.Reconciler{Client: env.kube, Links: env.links, Events: env.events(health.Name), Clock: env.clock},
		report:   report.Reconciler{Client: env.kube, Live: env.live, Links: env.links, Events: env.events(report.Name), Clock: env.clock},
	}
}

// register adds all controllers to the manager; subscribe gives each a channel
// that tells when what Ceph says has changed.
func (s *service) register(m manager.Manager, subscribe func() <-chan event.GenericEvent) error {
	for _, one := range []interface {
		Register(manager.Manager, <-chan event.GenericEvent) error
	}{&s.quorum, &s.mgr, &s.users, &s.settings, &s.health} {
		if err := one.Register(m, subscribe()); err != nil {
			return fmt.Errorf("register %T: %w", one, err)
		}
	}
	if err := s.report.Register(m); err != nil {
		return fmt.Errorf("register %T: %w", &s.report, err)
	}
	return nil
}

// Cache narrows the informers: only pods and claims of ours, and of nodes only what
// placement looks at.
func Cache(_ *cli.Context, options *cache.Options) {
	ours, err := labels.NewRequirement(names.LabelApp, selection.In, []string{"rook-ceph-mon", "rook-ceph-mgr", release.App})
	if err != nil {
		panic(err) // a constant
	}
	if options.ByObject == nil {
		options.ByObject = map[client.Object]cache.ByObject{}
	}
	options.ByObject[&corev1.Pod{}] = cache.ByObject{Label: labels.NewSelector().Add(*ours), Transform: slimPod}
	options.ByObject[&corev1.PersistentVolumeClaim{}] = cache.ByObject{Label: labels.NewSelector().Add(*ours)}
	options.ByObject[&corev1.Node{}] = cache.ByObject{Transform: slimNode}
}

func slimNode(obj any) (any, error) {
	if node, ok := obj.(*corev1.Node); ok {
		node.ManagedFields = nil
		node.Status.Images = nil
		node.Status.VolumesInUse = nil
		node.Status.VolumesAttached = nil
	}
	return obj, nil
}

func slimPod(obj any) (any, error) {
	if pod, ok := obj.(*corev1.Pod); ok {
		pod.ManagedFields = nil
	}
	return obj, nil
}
