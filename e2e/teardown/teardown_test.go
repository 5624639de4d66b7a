//go:build e2e

// Package teardown tells the story of the end: what blocks a deletion is named
// and stays reachable, then everything goes, and the data on the disks stays.
package teardown

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	// named is how long a blocker may go without being named.
	named = 30 * time.Second
	// gone is how long anything may take to go once nothing blocks it.
	gone = 90 * time.Second
)

func TestADeletedClusterNamesWhatBlocksItAndLeavesOnlyTheData(t *testing.T) {
	h := harness.New(t)
	volume := h.Use(t, "teardown", local.StorageClass)
	shared := h.Use(t, "teardown-share", local.Filesystem)
	before, labels := h.Daemons(t), labelsOf(t, h)
	if len(labels) == 0 {
		t.Fatal("no disk holds an OSD")
	}

	t.Run("a pool, a file system and an object store block the cluster", func(t *testing.T) {
		remove(t, h, cluster())
		h.AwaitCondition(t, named, harness.Expected{
			Type: api.ConditionDeletionIsBlocked, Status: metav1.ConditionTrue, Reason: api.ReasonDependents,
			Words: []string{local.BlockPool, local.Filesystem, local.ObjectStore}})
		h.AwaitBeat(t, volume)
		before.AssertUntouched(t, h.Daemons(t))
	})
	t.Run("a volume blocks the pool", func(t *testing.T) {
		remove(t, h, pool())
		image := attributeOf(t, h, volume, "imageName")
		h.Eventually(t, named, "the pool names the image", func(ctx context.Context) (bool, string) {
			now := pool()
			if err := h.Get(ctx, client.ObjectKeyFromObject(now), now); err != nil || now.Status == nil {
				return false, fmt.Sprint("no status: ", err)
			}
			want := harness.Expected{
				Type: api.ConditionPoolDeletionIsBlocked, Status: metav1.ConditionTrue, Reason: api.ReasonPoolNotEmpty, Words: []string{image}}
			return want.Met(now.Status.Conditions)
		})
		h.AwaitBeat(t, volume)
		before.AssertUntouched(t, h.Daemons(t))
	})
	t.Run("a volume blocks its group, and the group the file system", func(t *testing.T) {
		remove(t, h, filesystem())
		remove(t, h, group())
		subvolume := attributeOf(t, h, shared, "subvolumeName")
		h.Eventually(t, named, "the group names the subvolume", func(ctx context.Context) (bool, string) {
			now := group()
			if err := h.Get(ctx, client.ObjectKeyFromObject(now), now); err != nil || now.Status == nil {
				return false, fmt.Sprint("no status: ", err)
			}
			want := harness.Expected{Type: api.ConditionDeletionIsBlocked, Status: metav1.ConditionTrue, Words: []string{subvolume}}
			return want.Met(now.Status.Conditions)
		})
		h.AwaitFilesystemCondition(t, named, harness.Expected{
			Type: api.ConditionDeletionIsBlocked, Status: metav1.ConditionTrue, Words: []string{group().Name, subvolume}})
		h.AwaitBeat(t, shared)
		before.AssertUntouched(t, h.Daemons(t))
	})
	t.Run("without them everything goes", func(t *testing.T) {
		h.Release(t, volume)
		h.Release(t, shared)
		h.Gone(t, gone, pool())
		h.Gone(t, gone, group())
		h.Gone(t, gone, filesystem())
		h.Remove(t, gone, objectStore())
		h.Gone(t, gone, cluster())
		h.Eventually(t, gone, "nothing of the cluster is left", func(context.Context) (bool, string) {
			left := leftovers(t, h)
			return len(left) == 0, strings.Join(left, ", ")
		})
		assertDataStays(t, h, labels)
	})
	t.Run("the charts take the rest", func(t *testing.T) {
		h.Uninstall(t, harness.Namespace, "rook-ceph-cluster")
		h.Uninstall(t, harness.Namespace, "rook-ceph")
		h.Eventually(t, gone, "nothing of the charts is left", func(context.Context) (bool, string) {
			left := append(leftovers(t, h), released(t, h)...)
			return len(left) == 0, strings.Join(left, ", ")
		})
		assertDefinitionsStay(t, h)
	})
}

func cluster() *api.CephCluster {
	return &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: harness.Namespace}}
}

func pool() *api.CephBlockPool {
	return &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: local.BlockPool}}
}

func filesystem() *api.CephFilesystem {
	return &api.CephFilesystem{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: local.Filesystem}}
}

func objectStore() *api.CephObjectStore {
	return &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: local.ObjectStore}}
}

// group is the one that volumes are in.
func group() *api.CephFilesystemSubVolumeGroup {
	return &api.CephFilesystemSubVolumeGroup{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: local.Filesystem + "-csi"}}
}

func remove(t *testing.T, h *harness.Harness, obj client.Object) {
	t.Helper()
	if err := h.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
}

// attributeOf returns what a volume says of itself, such as the RBD image behind it.
func attributeOf(t *testing.T, h *harness.Harness, volume harness.Volume, name string) string {
	t.Helper()
	found := &corev1.PersistentVolume{}
	if err := h.Get(t.Context(), client.ObjectKey{Name: volume.Claim.Spec.VolumeName}, found); err != nil {
		t.Fatal(err)
	}
	value := found.Spec.CSI.VolumeAttributes[name]
	if value == "" {
		t.Fatalf("volume %s has no %s: %v", found.Name, name, found.Spec.CSI.VolumeAttributes)
	}
	return value
}

// place is where a disk is.
type place struct{ node, path string }

// labelsOf returns the OSDs that the disks hold.
func labelsOf(t *testing.T, h *harness.Harness) map[place]inventory.OSDLabel {
	t.Helper()
	labels := map[place]inventory.OSDLabel{}
	for _, disk := range h.Disks(t) {
		if disk.Status.OSD != nil {
			labels[place{disk.Status.Node, disk.Status.Path}] = *disk.Status.OSD
		}
	}
	return labels
}

// assertDataStays compares what discover sees, and looks for the label itself.
func assertDataStays(t *testing.T, h *harness.Harness, before map[place]inventory.OSDLabel) {
	t.Helper()
	now := labelsOf(t, h)
	for at, was := range before {
		if is := now[at]; is.UUID != was.UUID || is.FSID != was.FSID {
			t.Errorf("%s of %s held %+v, now %+v", at.path, at.node, was, is)
		}
		head := h.Localkube(t, "exec", "--node", at.node, "--", "head", "-c", "60", at.path)
		if !strings.HasPrefix(head, "bluestore block device\n"+was.UUID) {
			t.Errorf("%s of %s does not begin with its label: %q", at.path, at.node, head)
		}
	}
}

// services are the field managers of our controllers, up to the dot.
func services() []string {
	return []string{"mon-manager", "osd-manager", "provisioner", "node-agent", "discover", "mds-manager", "rgw-manager"}
}

// documented are the objects that outlive a cluster and the services: who leads,
// what is known about the disks, what tells the kubelet and other tools about our
// driver, and the identity of the data on the disks: nobody confirmed in
// spec.cleanupPolicy that it may be destroyed.
func documented(kind, name string) bool {
	switch kind {
	case "Lease", "CephDisk", "CSIDriver":
		return true
	case "ConfigMap":
		return name == "rook-ceph-csi-config" || name == "rook-config-override" || name == names.MonEndpoints
	case "Secret":
		return name == names.MonSecret
	}
	return false
}

// leftovers names every object that one of our controllers wrote and that is
// not documented to stay.
func leftovers(t *testing.T, h *harness.Harness) []string {
	t.Helper()
	var left []string
	for _, obj := range everything(t, h) {
		if !documented(obj.Kind, obj.GetName()) && slices.ContainsFunc(obj.GetManagedFields(), ours) {
			left = append(left, obj.Kind+" "+obj.GetName())
		}
	}
	return left
}

func ours(entry metav1.ManagedFieldsEntry) bool {
	service, _, _ := strings.Cut(entry.Manager, ".")
	return slices.Contains(services(), service)
}

// released names what is left of the releases: all that they made says so in a
// label or an annotation.
func released(t *testing.T, h *harness.Harness) []string {
	t.Helper()
	var left []string
	for _, obj := range everything(t, h) {
		name := obj.GetAnnotations()["meta.helm.sh/release-name"]
		kept := obj.GetAnnotations()["helm.sh/resource-policy"] == "keep"
		if obj.Kind == "Pod" || !kept && strings.HasPrefix(name, "rook-ceph") {
			left = append(left, obj.Kind+" "+obj.GetName())
		}
	}
	return left
}

// everything returns the metadata of all objects of our namespace and of those
// that are in none.
func everything(t *testing.T, h *harness.Harness) []metav1.PartialObjectMetadata {
	t.Helper()
	lists, err := h.Clientset.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	var all []metav1.PartialObjectMetadata
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || resource.Kind == "Event" {
				continue
			}
			found := &metav1.PartialObjectMetadataList{}
			found.SetGroupVersionKind(version.WithKind(resource.Kind + "List"))
			var options []client.ListOption
			if resource.Namespaced {
				options = append(options, client.InNamespace(harness.Namespace))
			}
			if err := h.List(t.Context(), found, options...); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err) {
				t.Fatalf("list %s: %v", resource.Kind, err)
			}
			for i := range found.Items {
				found.Items[i].SetGroupVersionKind(version.WithKind(resource.Kind))
			}
			all = append(all, found.Items...)
		}
	}
	return all
}

// assertDefinitionsStay fails the test when a definition of ours is gone: with
// it all objects of its kind would be.
func assertDefinitionsStay(t *testing.T, h *harness.Harness) {
	t.Helper()
	for _, name := range []string{
		"cephclusters.ceph.rook.io", "cephblockpools.ceph.rook.io", "cephfilesystems.ceph.rook.io", "cephfilesystemsubvolumegroups.ceph.rook.io",
		"cephdisks.inventory.ceph.rook.io", "cephosds.inventory.ceph.rook.io",
	} {
		definition := &unstructured.Unstructured{}
		definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		if err := h.Get(t.Context(), client.ObjectKey{Name: name}, definition); err != nil {
			t.Errorf("definition %s: %v", name, err)
		}
	}
}
