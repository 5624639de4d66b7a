//go:build e2e

// Package leaders tells the story of a service whose leader dies: the standby
// takes over and, since the cluster is settled, writes nothing.
package leaders

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// watched is how long the successor is watched for writes.
const watched = 15 * time.Second

func TestTheStandbyTakesOverAndWritesNothing(t *testing.T) {
	h := harness.New(t)
	for _, service := range []string{"mon-manager", "osd-manager", "provisioner"} {
		t.Run(service, func(t *testing.T) {
			h.AwaitSettled(t, 2*time.Minute)
			leader := holder(t, h, service)
			pod := &corev1.Pod{}
			if err := h.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: podOf(leader)}, pod); err != nil {
				t.Fatal(err)
			}
			before := versions(t, h, service)
			now := int64(0)
			if err := h.Delete(t.Context(), pod, &client.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
				t.Fatal(err)
			}
			h.Eventually(t, 40*time.Second, "another pod leads "+service, func(context.Context) (bool, string) {
				next := holder(t, h, service)
				return next != "" && podOf(next) != pod.Name, "the Lease is held by " + next
			})
			deadline := time.Now().Add(watched)
			h.Eventually(t, watched+10*time.Second, "the successor had its time", func(context.Context) (bool, string) {
				return time.Now().After(deadline), "not yet"
			})
			after := versions(t, h, service)
			for name, version := range after {
				if was, known := before[name]; !known || was != version {
					t.Errorf("%s was written (%s, then %s)", name, was, version)
				}
			}
		})
	}
}

// holder returns who holds the Lease of a service: a pod's name and a suffix.
func holder(t *testing.T, h *harness.Harness, service string) string {
	t.Helper()
	lease := &coordinationv1.Lease{}
	if err := h.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: service + ".ceph.rook.io"}, lease); err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// podOf cuts the random part that the election adds to the host's name.
func podOf(holder string) string {
	for i, r := range holder {
		if r == '_' {
			return holder[:i]
		}
	}
	return holder
}

// versions returns the resource version of everything that our services write.
func versions(t *testing.T, h *harness.Harness, service string) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&api.CephClusterList{}, &api.CephBlockPoolList{}, &inventory.CephDiskList{}, &inventory.CephOSDList{},
		&appsv1.DeploymentList{}, &corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceList{},
	} {
		if err := h.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(client.Object)
			if !ok {
				return fmt.Errorf("%T is no object", item)
			}
			if obj.GetName() != service { // its own Deployment changes with its pods
				versions[fmt.Sprintf("%T %s/%s", obj, obj.GetNamespace(), obj.GetName())] = obj.GetResourceVersion()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return versions
}
