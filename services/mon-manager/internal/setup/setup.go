// Package setup puts the controllers of this service together. It is the only
// place that knows all of them.
package setup

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
	token := func(holder string) disruption.Token {
		return disruption.Token{Client: liveLeases{m.GetClient(), m.GetAPIReader()}, Service: holder, Duration: tokenDuration}
	}
	for _, add := range []func() error{
		func() error {
			return (&quorum.Reconciler{
				Client: m.GetClient(), Live: m.GetAPIReader(), Links: links, Events: m.GetEventRecorder(quorum.Name),
				Clock: now, Random: rand.Reader, Image: image, Token: token(quorum.Name),
			}).Register(m, links.Subscribe())
		},
		func() error {
			return (&mgr.Reconciler{
				Client: m.GetClient(), Links: links, Events: m.GetEventRecorder(mgr.Name),
				Clock: now, Random: rand.Reader, Image: image, Token: token(mgr.Name),
			}).Register(m, links.Subscribe())
		},
		func() error {
			return (&users.Reconciler{Client: m.GetClient(), Links: links, Clock: now}).Register(m, links.Subscribe())
		},
		func() error {
			return (&settings.Reconciler{
				Client: m.GetClient(), Links: links, Events: m.GetEventRecorder(settings.Name), Clock: now,
			}).Register(m, links.Subscribe())
		},
		func() error {
			return (&health.Reconciler{
				Client: m.GetClient(), Links: links, Events: m.GetEventRecorder(health.Name), Clock: now,
			}).Register(m, links.Subscribe())
		},
		func() error {
			return (&report.Reconciler{
				Client: m.GetClient(), Live: m.GetAPIReader(), Links: links, Events: m.GetEventRecorder(report.Name), Clock: now,
			}).Register(m)
		},
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// liveLeases reads around the cache, so that no informer for Leases is started.
type liveLeases struct {
	client.Client
	live client.Reader
}

// Get reads around the cache.
func (l liveLeases) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	return l.live.Get(ctx, key, obj, opts...)
}

// Cache narrows the informers: only pods of ours, and of nodes only what
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
