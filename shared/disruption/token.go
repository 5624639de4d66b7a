package disruption

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// DefaultDuration is how long a token lasts without being renewed: longer than
// one daemon needs to restart.
const DefaultDuration = 10 * time.Minute

const (
	// AnnotationPurpose says what the holder does, for people.
	AnnotationPurpose = "ceph.rook.io/disruption"
	// AnnotationNote is what the holder noted when it took the token.
	AnnotationNote = "ceph.rook.io/disruption-note"
)

// Token is the disruption token of all clusters, from the view of one service.
type Token struct {
	// Client reads and writes Leases. A stale cache is harmless: every write
	// carries the resource version that was read.
	Client client.Client
	// Reader reads Leases in place of Client, past the cache; may be nil. With
	// it no Lease is ever watched.
	Reader client.Reader
	// Service is the holder, such as osd-manager.
	Service string
	// Part is what of the service holds the token, such as a file system; may be
	// empty. Parts of one service wait for one another like services.
	Part string
	// Duration is how long a grant lasts; 0 means DefaultDuration.
	Duration time.Duration
}

// Grant is the answer to Acquire.
type Grant struct {
	// Held is true when the service may disturb the cluster.
	Held bool
	// By is who holds the token otherwise; empty when a race was lost and it is
	// worth asking again at once.
	By string
	// Purpose is what the holder does.
	Purpose string
	// Note is what the service noted when it took the token. It is kept while
	// the token is held, and so outlives the pod that wrote it.
	Note string
}

// Acquire takes the token of the cluster, or renews it. It writes nothing when
// the holder has it for more than half of its duration still. Losing a race
// is no error: nobody is named then.
func (t Token) Acquire(ctx context.Context, cluster *api.CephCluster, purpose string, now time.Time) (Grant, error) {
	return t.AcquireNoting(ctx, cluster, purpose, "", now)
}

// AcquireNoting is Acquire with a note, which is written when the token is
// taken and not when it is renewed.
func (t Token) AcquireNoting(ctx context.Context, cluster *api.CephCluster, purpose, note string, now time.Time) (Grant, error) {
	lease, err := t.read(ctx, cluster)
	if err != nil {
		return Grant{}, err
	}
	if lease == nil {
		return t.create(ctx, cluster, purpose, note, now)
	}
	holder, until := holderOf(lease), expiry(lease)
	switch {
	case holder != "" && holder != t.holder() && now.Before(until):
		return Grant{By: holder, Purpose: lease.Annotations[AnnotationPurpose]}, nil
	case holder == t.holder() && now.Before(until.Add(-t.duration()/2)) && lease.Annotations[AnnotationPurpose] == purpose:
		return Grant{Held: true, Note: lease.Annotations[AnnotationNote]}, nil
	}
	if holder != t.holder() || !now.Before(until) {
		annotate(lease, AnnotationNote, note)
		lease.Spec.AcquireTime = ptr.To(metav1.NewMicroTime(now))
		lease.Spec.LeaseTransitions = ptr.To(ptr.Deref(lease.Spec.LeaseTransitions, 0) + 1)
	}
	t.fill(lease, purpose, now)
	return granted(t.Client.Update(ctx, lease, client.FieldOwner(t.Service)), "take", lease)
}

// Release gives the token back if the service, or its part, holds it.
func (t Token) Release(ctx context.Context, cluster *api.CephCluster) error {
	lease, err := t.read(ctx, cluster)
	if err != nil || lease == nil || holderOf(lease) != t.holder() {
		return err
	}
	lease.Spec.HolderIdentity = ptr.To("")
	annotate(lease, AnnotationPurpose, "")
	annotate(lease, AnnotationNote, "")
	err = t.Client.Update(ctx, lease, client.FieldOwner(t.Service))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // somebody else has it by now
	}
	if err != nil {
		return fmt.Errorf("release Lease %s: %w", client.ObjectKeyFromObject(lease), err)
	}
	return nil
}

// Held tells whether the service, or its part, holds the token now. It writes nothing.
func (t Token) Held(ctx context.Context, cluster *api.CephCluster, now time.Time) (bool, error) {
	lease, err := t.read(ctx, cluster)
	return lease != nil && holderOf(lease) == t.holder() && now.Before(expiry(lease)), err
}

func (t Token) read(ctx context.Context, cluster *api.CephCluster) (*coordinationv1.Lease, error) {
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: names.DisruptionLease(cluster.Name)}
	reader := t.Reader
	if reader == nil {
		reader = t.Client
	}
	err := reader.Get(ctx, key, lease)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Lease %s: %w", key, err)
	}
	return lease, nil
}

func (t Token) create(ctx context.Context, cluster *api.CephCluster, purpose, note string, now time.Time) (Grant, error) {
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: cluster.Namespace, Name: names.DisruptionLease(cluster.Name),
		Labels: map[string]string{names.LabelCluster: cluster.Namespace, names.LabelPartOf: cluster.Name},
	}}
	if err := controllerutil.SetOwnerReference(cluster, lease, t.Client.Scheme()); err != nil {
		return Grant{}, fmt.Errorf("own Lease %s: %w", lease.Name, err)
	}
	lease.Spec.AcquireTime = ptr.To(metav1.NewMicroTime(now))
	annotate(lease, AnnotationNote, note)
	t.fill(lease, purpose, now)
	return granted(t.Client.Create(ctx, lease, client.FieldOwner(t.Service)), "create", lease)
}

func (t Token) fill(lease *coordinationv1.Lease, purpose string, now time.Time) {
	annotate(lease, AnnotationPurpose, purpose)
	lease.Spec.HolderIdentity = ptr.To(t.holder())
	lease.Spec.RenewTime = ptr.To(metav1.NewMicroTime(now))
	lease.Spec.LeaseDurationSeconds = ptr.To(int32(t.duration() / time.Second))
}

// holder is how the Lease names who has the token.
func (t Token) holder() string {
	if t.Part == "" {
		return t.Service
	}
	return t.Service + "/" + t.Part
}

func (t Token) duration() time.Duration {
	if t.Duration == 0 {
		return DefaultDuration
	}
	return t.Duration
}

func granted(err error, verb string, lease *coordinationv1.Lease) (Grant, error) {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return Grant{}, nil
	}
	if err != nil {
		return Grant{}, fmt.Errorf("%s Lease %s: %w", verb, client.ObjectKeyFromObject(lease), err)
	}
	return Grant{Held: true, Note: lease.Annotations[AnnotationNote]}, nil
}

// annotate sets an annotation; "" removes it.
func annotate(lease *coordinationv1.Lease, name, value string) {
	if value == "" {
		delete(lease.Annotations, name)
		return
	}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[name] = value
}

func holderOf(lease *coordinationv1.Lease) string { return ptr.Deref(lease.Spec.HolderIdentity, "") }

// expiry is when the grant ends unless it is renewed.
func expiry(lease *coordinationv1.Lease) time.Time {
	if lease.Spec.RenewTime == nil || lease.Spec.LeaseDurationSeconds == nil {
		return time.Time{}
	}
	return lease.Spec.RenewTime.Add(time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second)
}
