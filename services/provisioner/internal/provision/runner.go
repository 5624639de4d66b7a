package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	workers     = 32
	callTimeout = time.Minute
	firstRetry  = 250 * time.Millisecond
	lastRetry   = time.Minute
)

// +kubebuilder:rbac:groups="",resources=persistentvolumes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups=storage.k8s.io,resources=storageclasses;volumeattachments,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch;update

// Runner runs the provisioning library for every driver while this process leads. Its informers
// run before that, so that a standby is warm.
type Runner struct {
	Client       kubernetes.Interface
	Provisioners []*Provisioner
	Log          logr.Logger

	factory informers.SharedInformerFactory
}

// Informers returns the runnable that keeps the caches warm on every replica.
func (r *Runner) Informers() *Informers {
	r.factory = informers.NewSharedInformerFactoryWithOptions(r.Client, 0, informers.WithTransform(strip))
	core, storage := r.factory.Core().V1(), r.factory.Storage().V1()
	core.PersistentVolumeClaims().Informer()
	core.PersistentVolumes().Informer()
	storage.StorageClasses().Informer()
	return &Informers{factory: r.factory}
}

// Informers are caches that run on every replica.
type Informers struct {
	factory informers.SharedInformerFactory
}

// Claims is the cache of PersistentVolumeClaims.
func (i *Informers) Claims() cache.SharedIndexInformer {
	return i.factory.Core().V1().PersistentVolumeClaims().Informer()
}

// Volumes is the cache of PersistentVolumes.
func (i *Informers) Volumes() cache.SharedIndexInformer {
	return i.factory.Core().V1().PersistentVolumes().Informer()
}

// NeedLeaderElection is false.
func (*Informers) NeedLeaderElection() bool { return false }

// Start runs the caches until ctx ends.
func (i *Informers) Start(ctx context.Context) error {
	i.factory.Start(ctx.Done())
	<-ctx.Done()
	i.factory.Shutdown()
	return nil
}

// strip drops what nobody here reads, which is half of each object.
func strip(obj any) (any, error) {
	if object, err := meta.Accessor(obj); err == nil {
		object.SetManagedFields(nil)
	}
	return obj, nil
}

// Start provisions until ctx ends.
func (r *Runner) Start(ctx context.Context) error {
	if r.factory == nil {
		return fmt.Errorf("start provisioner: %w", errNoInformers)
	}
	var running sync.WaitGroup
	for _, provisioner := range r.Provisioners {
		ctx := klog.NewContext(ctx, r.Log.WithValues("driver", provisioner.Driver))
		library := r.library(ctx, provisioner)
		running.Go(func() { library.Run(ctx) })
	}
	running.Wait()
	return nil
}

// library sets the provisioning library up for one driver. Drivers have queues
// of their own, so that one that waits for Ceph does not delay the other.
func (r *Runner) library(ctx context.Context, provisioner *Provisioner) *controller.ProvisionController {
	core, storage := r.factory.Core().V1(), r.factory.Storage().V1()
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, lastRetry)
	return controller.NewProvisionController(ctx, r.Client, provisioner.Driver, provisioner,
		controller.LeaderElection(false),
		controller.Threadiness(workers),
		controller.RateLimiter(limiter),
		controller.RetryIntervalMax(lastRetry),
		controller.FailedProvisionThreshold(0),
		controller.FailedDeleteThreshold(0),
		controller.CreateProvisionedPVLimiter(workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, lastRetry)),
		controller.AddFinalizer(true),
		controller.ProvisionTimeout(callTimeout),
		controller.DeletionTimeout(callTimeout),
		controller.ClaimsInformer(claims{core.PersistentVolumeClaims().Informer()}),
		controller.VolumesInformer(core.PersistentVolumes().Informer()),
		controller.ClassesInformer(storage.StorageClasses().Informer()),
	)
}

// claims is an informer that several libraries share, each of which adds the
// same index.
type claims struct{ cache.SharedIndexInformer }

// AddIndexers adds those that are not there yet.
func (c claims) AddIndexers(wanted cache.Indexers) error {
	missing := maps.Clone(wanted)
	for name := range c.GetIndexer().GetIndexers() {
		delete(missing, name)
	}
	return c.SharedIndexInformer.AddIndexers(missing)
}

var errNoInformers = errors.New("informers were not set up")
