package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

func connect(kubeconfig string) (client.WithWatch, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w; run make up first", kubeconfig, err)
	}
	for _, add := range []func() error{
		func() error { return api.AddToScheme(scheme.Scheme) },
		func() error { return inventory.AddToScheme(scheme.Scheme) },
		func() error { return objectbucket.AddToScheme(scheme.Scheme) },
	} {
		if err := add(); err != nil {
			return nil, fmt.Errorf("register kinds: %w", err)
		}
	}
	kube, err := client.NewWithWatch(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return kube, nil
}

// await watches one object until the check says that it is as wanted, and
// prints what the check says whenever that changes. On a time-out the last word
// is part of the error.
func await[T client.Object](ctx context.Context, in *installation, key client.ObjectKey, list client.ObjectList, check func(T) (bool, string)) error {
	said := ""
	for ctx.Err() == nil {
		done, err := follow(ctx, in, key, list, &said, check)
		if done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%s is not there yet (%s): %w", key, said, ctx.Err())
}

// follow is one watch; the API server ends it from time to time.
func follow[T client.Object](ctx context.Context, in *installation, key client.ObjectKey, list client.ObjectList, said *string, check func(T) (bool, string)) (bool, error) {
	watcher, err := in.kube.Watch(ctx, list, &client.ListOptions{
		Namespace: key.Namespace, FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name)})
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		obj, ok := event.Object.(T)
		if !ok || event.Type == watch.Error {
			return false, ignoreExpired(event)
		}
		done, words := check(obj)
		if words != *said && words != "" {
			fmt.Fprintf(in.out, "      %s\n", words)
			*said = words
		}
		if done {
			return true, nil
		}
	}
	return false, nil
}

func ignoreExpired(event watch.Event) error {
	err := apierrors.FromObject(event.Object)
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return nil
	}
	return err
}

func (in *installation) awaitCluster(ctx context.Context) error {
	key := client.ObjectKey{Namespace: in.Namespace, Name: in.Namespace}
	return await(ctx, in, key, &api.CephClusterList{}, func(cluster *api.CephCluster) (bool, string) {
		health, checks := healthOf(cluster.Status.CephStatus)
		ready := cluster.Status.Phase == api.PhaseReady && health == "HEALTH_OK"
		return ready, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", cluster.Status.Phase, health, checks, cluster.Status.Message)), " ")
	})
}

// healthOf gives Ceph's health, and the checks that are not fine by their codes
// with Ceph's words.
func healthOf(status *api.CephStatus) (health, checks string) {
	if status == nil {
		return "", ""
	}
	var list []string
	for _, code := range slices.Sorted(maps.Keys(status.Details)) {
		list = append(list, code+": "+status.Details[code].Message)
	}
	if len(list) == 0 {
		return status.Health, ""
	}
	return status.Health, "(" + strings.Join(list, "; ") + ")"
}

func (in *installation) awaitPool(ctx context.Context) error {
	key := client.ObjectKey{Namespace: in.Namespace, Name: local.BlockPool}
	return await(ctx, in, key, &api.CephBlockPoolList{}, func(pool *api.CephBlockPool) (bool, string) {
		if pool.Status == nil {
			return false, ""
		}
		return pool.Status.Phase == api.PhaseReady, string(pool.Status.Phase)
	})
}

func (in *installation) awaitFilesystem(ctx context.Context) error {
	key := client.ObjectKey{Namespace: in.Namespace, Name: local.Filesystem}
	return await(ctx, in, key, &api.CephFilesystemList{}, func(filesystem *api.CephFilesystem) (bool, string) {
		if filesystem.Status == nil {
			return false, ""
		}
		return filesystem.Status.Phase == api.PhaseReady, strings.TrimSpace(string(filesystem.Status.Phase) + " " + filesystem.Status.Message)
	})
}
