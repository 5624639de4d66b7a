package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

// objectStore times a CephObjectStore from its creation to Ready, with one gateway.
func (b *bench) objectStore(ctx context.Context) error {
	began := time.Now()
	if err := b.chart(ctx, "rook-ceph-cluster", b.settings.ClusterValues()); err != nil {
		return err
	}
	err := b.await(ctx, 3*time.Minute, func(ctx context.Context) (bool, error) {
		store := api.CephObjectStore{}
		err := b.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: local.ObjectStore}, &store)
		return store.Status != nil && store.Status.Phase == api.PhaseReady, client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("object store is not ready: %w", err)
	}
	b.figures.add("CephObjectStore applied -> Ready", "", "%.1f s", time.Since(began).Seconds())
	if err := b.await(ctx, 3*time.Minute, b.clusterHealthy); err != nil {
		return fmt.Errorf("cluster is not healthy: %w", err)
	}
	return nil
}

// buckets times bucket claims from their creation until the gateway knows the
// bucket whose address and keys are published, one after the other.
func (b *bench) buckets(ctx context.Context, count int) error {
	var times []time.Duration
	for i := range count {
		claim := &objectbucket.ObjectBucketClaim{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bench-%d", i), Namespace: metav1.NamespaceDefault},
			Spec:       objectbucket.ObjectBucketClaimSpec{StorageClassName: local.BucketClass, GenerateBucketName: "bench"},
		}
		began := time.Now()
		if err := b.kube.Create(ctx, claim); err != nil {
			return fmt.Errorf("create claim: %w", err)
		}
		if err := b.await(ctx, time.Minute, func(ctx context.Context) (bool, error) { return b.usable(ctx, claim) }); err != nil {
			return fmt.Errorf("bucket of claim %s cannot be used: %w", claim.Name, err)
		}
		times = append(times, time.Since(began))
		if err := b.kube.Delete(ctx, claim); err != nil {
			return fmt.Errorf("delete claim: %w", err)
		}
		if err := b.awaitGone(ctx, claim); err != nil {
			return err
		}
	}
	b.figures.add("bucket claim created -> bucket can be used, p50", "", "%d ms", percentile(times, 0.5).Milliseconds())
	b.figures.add("bucket claim created -> bucket can be used, p99", "", "%d ms", percentile(times, 0.99).Milliseconds())
	return nil
}

// usable asks the gateway for the bucket at the published address. Who has no key is
// refused by a bucket that exists, and told of one that does not.
func (b *bench) usable(ctx context.Context, claim client.Object) (bool, error) {
	key := client.ObjectKeyFromObject(claim)
	address, keys := corev1.ConfigMap{}, corev1.Secret{}
	for _, beside := range []client.Object{&address, &keys} {
		if err := b.kube.Get(ctx, key, beside); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	host, err := b.addressOf(ctx, address.Data["BUCKET_PORT"])
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://"+host+"/"+address.Data["BUCKET_NAME"], nil)
	if err != nil {
		return false, fmt.Errorf("ask for the bucket: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, fmt.Errorf("ask for the bucket: %w", err)
	}
	return answer.StatusCode == http.StatusForbidden, answer.Body.Close()
}

// addressOf is where the host reaches the Service of the store.
func (b *bench) addressOf(ctx context.Context, port string) (string, error) {
	service := corev1.Service{}
	if err := b.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "rook-ceph-rgw-" + local.ObjectStore}, &service); err != nil {
		return "", fmt.Errorf("find the Service of the store: %w", err)
	}
	return net.JoinHostPort(service.Spec.ClusterIP, port), nil
}

// users times many users from the first one's creation until all are Ready.
func (b *bench) users(ctx context.Context, count int) error {
	began := time.Now()
	for i := range count {
		user := &api.CephObjectStoreUser{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bench-%d", i), Namespace: namespace},
			Spec:       api.ObjectStoreUserSpec{Store: local.ObjectStore},
		}
		if err := b.kube.Create(ctx, user); err != nil {
			return fmt.Errorf("create user: %w", err)
		}
	}
	all := api.CephObjectStoreUserList{}
	err := b.await(ctx, 5*time.Minute, func(ctx context.Context) (bool, error) {
		if err := b.kube.List(ctx, &all, client.InNamespace(namespace)); err != nil {
			return false, err
		}
		ready := 0
		for i := range all.Items {
			if status := all.Items[i].Status; status != nil && status.Phase == api.PhaseReady {
				ready++
			}
		}
		return ready == count, nil
	})
	if err != nil {
		return fmt.Errorf("users are not ready: %w", err)
	}
	b.figures.add(fmt.Sprintf("%d CephObjectStoreUsers applied -> Ready", count), "", "%.1f s", time.Since(began).Seconds())
	for i := range all.Items {
		if err := b.kube.Delete(ctx, &all.Items[i]); err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
	}
	for i := range all.Items {
		if err := b.awaitGone(ctx, &all.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) awaitGone(ctx context.Context, obj client.Object) error {
	err := b.await(ctx, 2*time.Minute, func(ctx context.Context) (bool, error) {
		err := b.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("%s is not gone: %w", obj.GetName(), err)
	}
	return nil
}
