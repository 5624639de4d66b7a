package snapshot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	snapshotv1 "github.com/kubernetes-csi/external-snapshotter/client/v8/apis/volumesnapshot/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/snapshot"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const driver = "rook-ceph.cephfs.csi.ceph.com"

// world is an API server and a driver that writes down what it is asked.
type world struct {
	t       *testing.T
	client  client.Client
	r       *snapshot.Reconciler
	created []*csipb.CreateSnapshotRequest
	deleted []*csipb.DeleteSnapshotRequest
	fail    error
	writes  int
	// left is what FindSnapshot finds, and sought what it was asked.
	left   string
	sought []string
}

func (w *world) CreateSnapshot(_ context.Context, r *csipb.CreateSnapshotRequest) (*csipb.CreateSnapshotResponse, error) {
	w.created = append(w.created, r)
	if w.fail != nil {
		return nil, w.fail
	}
	return &csipb.CreateSnapshotResponse{Snapshot: &csipb.Snapshot{
		SnapshotId: "snap-handle", SourceVolumeId: r.GetSourceVolumeId(), SizeBytes: 1 << 30, ReadyToUse: true,
		CreationTime: timestamppb.New(time.Unix(1700000000, 0)),
	}}, nil
}

func (w *world) DeleteSnapshot(_ context.Context, r *csipb.DeleteSnapshotRequest) (*csipb.DeleteSnapshotResponse, error) {
	w.deleted = append(w.deleted, r)
	return &csipb.DeleteSnapshotResponse{}, w.fail
}

func (w *world) FindSnapshot(_ context.Context, volume, name string, secrets map[string]string) (string, error) {
	w.sought = append(w.sought, volume+" "+name+" "+secrets["from"])
	return w.left, w.fail
}

func (w *world) Secret(_ context.Context, namespace, name string) (map[string]string, error) {
	return map[string]string{"from": namespace + "/" + name}, nil
}

func start(t *testing.T, edit func(*snapshotv1.VolumeSnapshotContent)) *world {
	t.Helper()
	content := &snapshotv1.VolumeSnapshotContent{
		ObjectMeta: metav1.ObjectMeta{Name: "snapcontent-1", Finalizers: []string{snapshot.Finalizer, "somebody/else"}, Annotations: map[string]string{
			"snapshot.storage.kubernetes.io/deletion-secret-name": "del", "snapshot.storage.kubernetes.io/deletion-secret-namespace": "rook-ceph",
		}},
		Spec: snapshotv1.VolumeSnapshotContentSpec{
			Driver: driver, DeletionPolicy: snapshotv1.VolumeSnapshotContentDelete, VolumeSnapshotClassName: ptr.To("class"),
			Source:            snapshotv1.VolumeSnapshotContentSource{VolumeHandle: ptr.To("volume-handle")},
			VolumeSnapshotRef: corev1.ObjectReference{Namespace: "apps", Name: "before-upgrade", UID: "uid-1"},
		},
	}
	edit(content)
	class := &snapshotv1.VolumeSnapshotClass{
		ObjectMeta: metav1.ObjectMeta{Name: "class"}, Driver: driver, DeletionPolicy: snapshotv1.VolumeSnapshotContentDelete,
		Parameters: map[string]string{
			"clusterID": "rook-ceph", "csi.storage.k8s.io/snapshotter-secret-name": "create-${volumesnapshot.name}",
			"csi.storage.k8s.io/snapshotter-secret-namespace": "${volumesnapshot.namespace}",
		},
	}
	scheme := runtime.NewScheme()
	if err := snapshotv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithReturnManagedFields().WithObjects(content, class).
		WithStatusSubresource(content).WithInterceptorFuncs(testenv.Apart(interceptor.Funcs{
		SubResourceApply: func(ctx context.Context, c client.Client, name string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			w.writes++
			return c.SubResource(name).Apply(ctx, obj, opts...)
		},
	})).Build()
	w.r = &snapshot.Reconciler{
		Client: w.client, Live: w.client, Drivers: map[string]snapshot.Snapshots{driver: w}, Secrets: w,
		Clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
	}
	return w
}

func (w *world) pass() error {
	_, err := w.r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: "snapcontent-1"}})
	return err
}

// get returns the content, or nil.
func (w *world) get() *snapshotv1.VolumeSnapshotContent {
	w.t.Helper()
	var content snapshotv1.VolumeSnapshotContent
	err := w.client.Get(w.t.Context(), client.ObjectKey{Name: "snapcontent-1"}, &content)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return &content
}

func (w *world) delete() {
	w.t.Helper()
	if err := w.client.Delete(w.t.Context(), w.get()); err != nil {
		w.t.Fatal(err)
	}
}

func untouched(*snapshotv1.VolumeSnapshotContent) {}

func TestTake_publishes_the_snapshot_and_then_writes_nothing(t *testing.T) {
	t.Parallel()
	w := start(t, untouched)
	for range 2 {
		if err := w.pass(); err != nil {
			t.Fatal(err)
		}
	}
	want := &snapshotv1.VolumeSnapshotContentStatus{
		SnapshotHandle: ptr.To("snap-handle"), ReadyToUse: ptr.To(true), RestoreSize: ptr.To(int64(1 << 30)), CreationTime: ptr.To(int64(1700000000000000000)),
	}
	if diff := cmp.Diff(want, w.get().Status); diff != "" || w.writes != 1 {
		t.Errorf("%d writes, want -, got +:\n%s", w.writes, diff)
	}
	request := w.created[0]
	if len(w.created) != 1 || request.GetName() != "snapshot-uid-1" || request.GetSourceVolumeId() != "volume-handle" ||
		request.GetSecrets()["from"] != "apps/create-before-upgrade" || !cmp.Equal(request.GetParameters(), map[string]string{"clusterID": "rook-ceph"}) {
		t.Errorf("asked %v", w.created)
	}
}

func TestTake_says_why_it_failed_once(t *testing.T) {
	t.Parallel()
	w := start(t, untouched)
	w.fail = status.Error(codes.NotFound, "volume is gone")
	for range 2 {
		if err := w.pass(); err == nil {
			t.Error("no error")
		}
	}
	got := w.get().Status
	if got == nil || got.Error == nil || *got.Error.Message != "volume is gone" || *got.ReadyToUse || w.writes != 1 {
		t.Errorf("%d writes, status %+v", w.writes, got)
	}
	w.fail = nil
	if err := w.pass(); err != nil || w.get().Status.Error != nil {
		t.Errorf("after it healed: %v, %+v", err, w.get().Status)
	}
}

func TestTake_keeps_the_handle_when_the_cache_lags_behind(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		ready bool
		said  string
	}{
		"of_one_that_is_ready":         {true, ""},
		"of_one_that_is_still_written": {false, "busy"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, untouched)
			before := w.get()
			if err := w.pass(); err != nil {
				t.Fatal(err)
			}
			after := w.get()
			after.Status.ReadyToUse = &tc.ready
			if err := w.client.Status().Update(t.Context(), after); err != nil {
				t.Fatal(err)
			}
			w.r.Client = lagging{w.client, before}
			w.fail = status.Error(codes.Aborted, "busy")
			if err := w.pass(); (err != nil) == tc.ready {
				t.Errorf("got %v", err)
			}
			got := w.get().Status
			if ptr.Deref(got.SnapshotHandle, "") != "snap-handle" || *got.ReadyToUse != tc.ready || got.RestoreSize == nil {
				t.Errorf("status %+v", got)
			}
			if said := got.Error; (said == nil) != (tc.said == "") || said != nil && *said.Message != tc.said {
				t.Errorf("error %+v", said)
			}
		})
	}
}

// lagging is a client whose cache holds a content as it was.
type lagging struct {
	client.Client
	was *snapshotv1.VolumeSnapshotContent
}

func (l lagging) Get(_ context.Context, _ client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	l.was.DeepCopyInto(obj.(*snapshotv1.VolumeSnapshotContent))
	return nil
}

func TestTake_trusts_a_snapshot_that_was_there_before(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *snapshotv1.VolumeSnapshotContent) {
		c.Spec.Source = snapshotv1.VolumeSnapshotContentSource{SnapshotHandle: ptr.To("old-handle")}
	})
	if err := w.pass(); err != nil || *w.get().Status.SnapshotHandle != "old-handle" || !*w.get().Status.ReadyToUse || len(w.created) > 0 {
		t.Errorf("%v, %+v, asked %v", err, w.get().Status, w.created)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	goes := func(c *snapshotv1.VolumeSnapshotContent) {
		c.Annotations["snapshot.storage.kubernetes.io/volumesnapshot-being-deleted"] = "yes"
	}
	cases := map[string]struct {
		edit    func(*snapshotv1.VolumeSnapshotContent)
		fail    error
		deleted int
		kept    bool
	}{
		"deletes_the_snapshot_of_a_VolumeSnapshot_that_goes": {goes, nil, 1, false},
		"retains_what_is_to_be_retained": {func(c *snapshotv1.VolumeSnapshotContent) {
			goes(c)
			c.Spec.DeletionPolicy = snapshotv1.VolumeSnapshotContentRetain
		}, nil, 0, false},
		"waits_for_the_snapshot-controller": {untouched, nil, 0, true},
		"keeps_a_snapshot_that_is_in_use":   {goes, status.Error(codes.FailedPrecondition, "shown by pvc-1"), 1, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, tc.edit)
			if err := w.pass(); err != nil {
				t.Fatal(err)
			}
			w.delete()
			w.fail = tc.fail
			if err := w.pass(); (err != nil) != (tc.fail != nil) {
				t.Fatal(err)
			}
			left := w.get()
			if got := strings.Contains(strings.Join(left.Finalizers, " "), snapshot.Finalizer); got != tc.kept || len(w.deleted) != tc.deleted {
				t.Errorf("finalizers %v, deleted %v", left.Finalizers, w.deleted)
			}
			if tc.fail != nil && (left.Status.Error == nil || *left.Status.SnapshotHandle != "snap-handle") {
				t.Errorf("status %+v", left.Status)
			}
			if tc.deleted > 0 && (w.deleted[0].GetSnapshotId() != "snap-handle" || w.deleted[0].GetSecrets()["from"] != "rook-ceph/del") {
				t.Errorf("asked %v", w.deleted)
			}
		})
	}
}

func TestRemove_looks_for_a_snapshot_that_was_taken_and_not_written_down(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		left    string
		fail    error
		deleted int
		kept    bool
	}{
		"one_was_taken":      {"snap-handle", nil, 1, false},
		"none_was_taken":     {"", nil, 0, false},
		"nobody_can_say_yet": {"", status.Error(codes.Unavailable, "no answer"), 0, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, func(c *snapshotv1.VolumeSnapshotContent) {
				c.Annotations["snapshot.storage.kubernetes.io/volumesnapshot-being-deleted"] = "yes"
			})
			w.left, w.fail = tc.left, tc.fail
			w.delete()
			if err := w.pass(); (err != nil) != (tc.fail != nil) {
				t.Fatal(err)
			}
			if !cmp.Equal(w.sought, []string{"volume-handle snapshot-uid-1 rook-ceph/del"}) || len(w.deleted) != tc.deleted {
				t.Errorf("looked for %q, deleted %v", w.sought, w.deleted)
			}
			if left := w.get(); strings.Contains(strings.Join(left.Finalizers, " "), snapshot.Finalizer) != tc.kept {
				t.Errorf("finalizers %v", left.Finalizers)
			}
		})
	}
}

func TestReconcile_leaves_other_drivers_alone(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *snapshotv1.VolumeSnapshotContent) { c.Spec.Driver = "other" })
	if err := w.pass(); err != nil || w.writes > 0 || len(w.created) > 0 {
		t.Errorf("%v, %d writes, asked %v", err, w.writes, w.created)
	}
}

func TestDefined_is_true_when_the_API_server_knows_the_kind(t *testing.T) {
	t.Parallel()
	mapper := meta.NewDefaultRESTMapper(nil)
	if defined, err := snapshot.Defined(mapper); defined || err != nil {
		t.Errorf("without definitions: %v, %v", defined, err)
	}
	mapper.Add(schema.GroupVersionKind{Group: snapshotv1.GroupName, Version: "v1", Kind: "VolumeSnapshotContent"}, meta.RESTScopeRoot)
	if defined, err := snapshot.Defined(mapper); !defined || err != nil {
		t.Errorf("with definitions: %v, %v", defined, err)
	}
}
