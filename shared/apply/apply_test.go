package apply_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/shared/apply"
)

const namespace = "rook-ceph"

// counting returns a client and the number of writes that it has been sent.
func counting(t *testing.T, objs ...client.Object) (client.Client, *int) {
	t.Helper()
	writes := 0
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithReturnManagedFields().WithObjects(objs...).
		WithInterceptorFuncs(interceptor.Funcs{
			Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
				writes++
				return c.Apply(ctx, obj, opts...)
			},
			Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
				writes++
				return c.Delete(ctx, obj, opts...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
				writes++
				return c.Patch(ctx, obj, patch, opts...)
			},
		}).Build()
	return c, &writes
}

func owner() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner", Namespace: namespace, UID: "1"}}
}

func config(data map[string]string) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap("settings", namespace).WithData(data)
}

func pod(port int32) *corev1ac.PodApplyConfiguration {
	return corev1ac.Pod("mon", namespace).WithSpec(corev1ac.PodSpec().
		WithVolumes(corev1ac.Volume().WithName("run").WithEmptyDir(corev1ac.EmptyDirVolumeSource())).
		WithContainers(
			corev1ac.Container().WithName("b").WithImage("b").WithArgs("--x", "--y"),
			corev1ac.Container().WithName("a").WithImage("a").
				WithPorts(corev1ac.ContainerPort().WithName("msgr2").WithContainerPort(port)),
		))
}

func TestSetWritesOnlyWhatChanges(t *testing.T) {
	ctx := t.Context()
	c, writes := counting(t, owner())
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	set := func(want int, objs ...runtime.ApplyConfiguration) {
		t.Helper()
		*writes = 0
		if err := a.Set(ctx, owner(), objs...); err != nil {
			t.Fatal(err)
		}
		if *writes != want {
			t.Errorf("got %d writes, want %d", *writes, want)
		}
	}
	set(2, config(map[string]string{"a": "1", "b": "2"}), pod(3300))
	set(0, config(map[string]string{"a": "1", "b": "2"}), pod(3300))
	set(1, config(map[string]string{"a": "1"}), pod(3300)) // no longer wanted
	set(1, config(map[string]string{"a": "1"}), pod(6789)) // another value

	other := apply.Applier{Client: c, Manager: "someone.else"}
	if err := other.Set(ctx, nil, config(map[string]string{"c": "3"})); err != nil {
		t.Fatal(err)
	}
	got := corev1.ConfigMap{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "settings"}, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "c": "3"}, got.Data); diff != "" {
		t.Error(diff)
	}
	if !metav1.IsControlledBy(&got, owner()) {
		t.Error("the owner is not its controller")
	}
}

func TestSetSeesDrift(t *testing.T) {
	ctx := t.Context()
	c, writes := counting(t, owner())
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	want := config(map[string]string{"a": "1"})
	if err := a.Set(ctx, owner(), want); err != nil {
		t.Fatal(err)
	}
	thief := apply.Applier{Client: c, Manager: "someone.else"}
	if err := thief.Set(ctx, nil, config(map[string]string{"a": "stolen"})); err != nil {
		t.Fatal(err)
	}
	*writes = 0
	if err := a.Set(ctx, owner(), want); err != nil {
		t.Fatal(err)
	}
	if *writes != 1 {
		t.Errorf("got %d writes, want 1: a field was taken from us", *writes)
	}
}

func TestPruneDeletesOnlyWhatThisManagerAppliedForTheOwner(t *testing.T) {
	ctx := t.Context()
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "foreign", Namespace: namespace,
		Labels: map[string]string{apply.ManagedBy: "mon-manager.quorum"}}}
	c, _ := counting(t, owner(), foreign)
	a := apply.Applier{Client: c, Manager: "mon-manager.quorum"}
	for _, name := range []string{"kept", "surplus"} {
		if err := a.Set(ctx, owner(), corev1ac.ConfigMap(name, namespace).WithData(map[string]string{"a": "1"})); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Prune(ctx, owner(), &corev1.ConfigMapList{}, "kept"); err != nil {
		t.Fatal(err)
	}
	list := corev1.ConfigMapList{}
	if err := c.List(ctx, &list); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, item := range list.Items {
		got = append(got, item.Name)
	}
	if diff := cmp.Diff([]string{"foreign", "kept", "owner"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFinalizerIsWrittenOnce(t *testing.T) {
	ctx := t.Context()
	c, writes := counting(t, owner())
	a := apply.Applier{Client: c, Manager: "mon-manager.report"}
	obj := corev1.ConfigMap{}
	if err := c.Get(ctx, client.ObjectKeyFromObject(owner()), &obj); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Finalizer(ctx, &obj, "ceph.rook.io/mon-manager"); err != nil {
			t.Fatal(err)
		}
	}
	if *writes != 1 || len(obj.Finalizers) != 1 {
		t.Errorf("got %d writes and finalizers %v, want one of each", *writes, obj.Finalizers)
	}
	if err := a.RemoveFinalizer(ctx, &obj, "ceph.rook.io/mon-manager"); err != nil {
		t.Fatal(err)
	}
	if len(obj.Finalizers) != 0 {
		t.Errorf("finalizers are left: %v", obj.Finalizers)
	}
}
