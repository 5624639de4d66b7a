package settings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/scope"
	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/watches"
	"github.com/rook-ceph/rook-ceph/shared/queue"
)

// Name is the controller: field manager, metrics label and event source.
const Name = api.WriterSettings

const (
	concurrent  = 4
	callTimeout = 30 * time.Second
	// recordKey is where Ceph keeps the list of options that we set.
	recordKey = "rook/mon-manager/config"
)

// Sessions are the connections to the clusters.
type Sessions interface {
	Session(types.NamespacedName) (ceph.Client, error)
}

// Reconciler keeps the configuration of CephClusters.
type Reconciler struct {
	Client client.Client
	Links  Sessions
	Events events.EventRecorder
	Clock  clock.PassiveClock
}

// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters,verbs=get;list;watch
// +kubebuilder:rbac:namespace=cluster,groups=ceph.rook.io,resources=cephclusters/status,verbs=get;patch
// +kubebuilder:rbac:namespace=cluster,groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the controller to the manager.
func (r *Reconciler) Register(mgr manager.Manager, changes <-chan event.GenericEvent) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		WithOptions(queue.Workers(concurrent)).
		For(&api.CephCluster{}, builder.WithPredicates(predicate.Or(watches.Asked(nil), apply.OwnStatus(Name)))).
		WatchesRawSource(source.Channel(changes, &handler.EnqueueRequestForObject{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// Reconcile brings the options and mutes of one cluster to what its spec wants.
func (r *Reconciler) Reconcile(ctx context.Context, cluster *api.CephCluster) (reconcile.Result, error) {
	verdict, _, err := scope.Of(ctx, r.Client, cluster)
	if err != nil || verdict != scope.Served || cluster.DeletionTimestamp != nil {
		return reconcile.Result{}, err
	}
	if _, err := r.Links.Session(client.ObjectKeyFromObject(cluster)); err != nil && condition.Find(cluster.Status.Conditions, api.ConditionConfigApplied) != nil {
		return reconcile.Result{}, nil // what was written stands
	}
	report := step.Run(ctx, step.Named("settings", func(ctx context.Context) (step.Outcome, error) {
		return r.applySettings(ctx, cluster)
	}))
	found := condition.From(api.ConditionConfigApplied, report, cluster.Generation)
	if found.Status == metav1.ConditionFalse && found.Reason == api.ReasonInvalidSpec && condition.Changed(cluster.Status.Conditions, found) {
		r.Events.Eventf(cluster, nil, corev1.EventTypeWarning, found.Reason, "Reconcile", "%s", found.Message)
	}
	applier := apply.Applier{Client: r.Client, Manager: Name}
	status := api.ClusterStatus{Conditions: condition.Merge(cluster.Status.Conditions, r.Clock.Now(), found)}
	return report.Result(), errors.Join(report.Err, applier.Status(ctx, cluster, status))
}

func (r *Reconciler) applySettings(ctx context.Context, cluster *api.CephCluster) (step.Outcome, error) {
	session, err := r.Links.Session(client.ObjectKeyFromObject(cluster))
	if err != nil {
		return step.Wait(api.ReasonWaiting, "Waiting for monitors: nobody answers yet"), nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	dump, err := session.ConfigDump(ctx)
	if errors.Is(err, ceph.ErrUnreachable) {
		return step.Wait(api.ReasonWaiting, "Waiting for monitors: they do not answer"), nil
	}
	if err != nil {
		return step.None, err
	}
	recorded, raw, err := record(ctx, session)
	if err != nil {
		return step.None, err
	}
	status, err := session.Status(ctx)
	if err != nil {
		return step.None, err
	}
	plan := Decide(cluster, dump, recorded, status.Health.Mutes)
	plan.Mute = append(plan.Mute, OldCiphers(cluster, status.Health)...)
	raw, err = remember(ctx, session, plan.Record, raw)
	if err != nil {
		return step.None, err
	}
	taken, outcome, err := change(ctx, session, plan)
	if err != nil || len(plan.Set)+len(plan.Remove) == 0 {
		return outcome, err
	}
	dump, err = session.ConfigDump(ctx)
	if err != nil {
		return step.None, err
	}
	_, err = remember(ctx, session, Learn(plan, taken, dump), raw)
	return outcome, err
}

// record reads which options we set before.
func record(ctx context.Context, session ceph.Client) ([]Note, []byte, error) {
	raw, err := session.ConfigKeyGet(ctx, recordKey)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var notes []Note
	if err := json.Unmarshal(raw, &notes); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", recordKey, err)
	}
	return notes, bytes.TrimSpace(raw), nil
}

// remember writes the notes unless they are what is written, and returns them.
// It comes before the first option is set, because what is set and not noted
// would stay for ever, and after the last, with what Ceph made of the values.
func remember(ctx context.Context, session ceph.Client, notes []Note, raw []byte) ([]byte, error) {
	body, err := json.Marshal(notes)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", recordKey, err)
	}
	if bytes.Equal(body, raw) {
		return raw, nil
	}
	return body, session.ConfigKeySet(ctx, recordKey, body)
}

// change makes the changes and returns the options that Ceph took. One that it
// refuses is named and stops no other one.
func change(ctx context.Context, session ceph.Client, plan Plan) ([]Option, step.Outcome, error) {
	var taken []Option
	var refused []string
	for _, option := range order(slices.Collect(maps.Keys(plan.Set))) {
		err := session.ConfigSet(ctx, option.Who, option.Name, plan.Set[option])
		if errors.Is(err, ceph.ErrInvalid) || errors.Is(err, ceph.ErrNotFound) {
			refused = append(refused, fmt.Sprintf("%s/%s: %v", option.Who, option.Name, err))
			continue
		}
		if err != nil {
			return nil, step.None, err
		}
		taken = append(taken, option)
	}
	for _, option := range plan.Remove {
		if err := session.ConfigRemove(ctx, option.Who, option.Name); err != nil {
			return nil, step.None, err
		}
	}
	if err := mute(ctx, session, plan); err != nil {
		return nil, step.None, err
	}
	if len(refused) > 0 {
		return taken, step.Stall(api.ReasonInvalidSpec, "Ceph refuses options of `spec.cephConfig`; correct or remove them: "+problem.Sentence(refused)), nil
	}
	return taken, step.Done, nil
}

func mute(ctx context.Context, session ceph.Client, plan Plan) error {
	for _, code := range plan.Mute {
		if err := session.HealthMute(ctx, ceph.HealthMute{Code: code, Sticky: true}); err != nil {
			return err
		}
	}
	for _, code := range plan.Unmute {
		if err := session.HealthUnmute(ctx, code); err != nil {
			return err
		}
	}
	return nil
}
