package resize_test

import (
	"context"
	"strings"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/resize"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const driver = "rook-ceph.cephfs.csi.ceph.com"

// world is an API server and a driver that rounds up to GiB.
type world struct {
	t      *testing.T
	client client.Client
	r      *resize.Reconciler
	asked  []*csipb.ControllerExpandVolumeRequest
	fail   error
	// node tells that the volumes of the driver grow on their nodes.
	node   bool
	events *events.FakeRecorder
}

func (w *world) ControllerExpandVolume(
	_ context.Context, request *csipb.ControllerExpandVolumeRequest,
) (*csipb.ControllerExpandVolumeResponse, error) {
	w.asked = append(w.asked, request)
	const unit = 1 << 30
	size := (request.GetCapacityRange().GetRequiredBytes() + unit - 1) / unit * unit
	return &csipb.ControllerExpandVolumeResponse{CapacityBytes: size, NodeExpansionRequired: w.node}, w.fail
}

func (w *world) Secret(_ context.Context, namespace, name string) (map[string]string, error) {
	return map[string]string{"userID": namespace + "/" + name}, nil
}

func storage(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}

func start(t *testing.T, edit func(*corev1.PersistentVolumeClaim, *corev1.PersistentVolume)) *world {
	t.Helper()
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "apps", UID: "claim-1"},
		Spec: corev1.PersistentVolumeClaimSpec{
			VolumeName: "pvc-1", Resources: corev1.VolumeResourceRequirements{Requests: storage("1500Mi")},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Capacity: storage("1Gi")},
	}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-1", UID: "volume-1"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: storage("1Gi"), AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			ClaimRef: &corev1.ObjectReference{Name: "data", Namespace: "apps", UID: "claim-1"},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
				Driver: driver, VolumeHandle: "handle", ControllerExpandSecretRef: &corev1.SecretReference{Name: "expand", Namespace: "rook-ceph"},
			}},
		},
	}
	edit(claim, volume)
	core := informers.NewSharedInformerFactory(fake.NewClientset(), 0).Core().V1()
	claims, volumes := core.PersistentVolumeClaims().Informer(), core.PersistentVolumes().Informer()
	for informer, object := range map[interface{ Add(any) error }]any{claims.GetIndexer(): claim, volumes.GetIndexer(): volume} {
		if err := informer.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{
		t: t, events: events.NewFakeRecorder(10),
		client: testenv.Fake(t, claim, volume).WithStatusSubresource(&corev1.PersistentVolumeClaim{}).Build(),
	}
	w.r = &resize.Reconciler{
		Client: w.client, Claims: claims, PersistentVolumes: volumes, Drivers: map[string]resize.Volumes{driver: w}, Secrets: w, Events: w.events,
		Clock: clocktesting.NewFakePassiveClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
	return w
}

func (w *world) pass() error {
	_, err := w.r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "apps", Name: "data"}})
	return err
}

func (w *world) claim() *corev1.PersistentVolumeClaim {
	w.t.Helper()
	var claim corev1.PersistentVolumeClaim
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "apps", Name: "data"}, &claim); err != nil {
		w.t.Fatal(err)
	}
	return &claim
}

// capacities are those of the claim and of the volume.
func (w *world) capacities() (claimed, provided string) {
	w.t.Helper()
	var volume corev1.PersistentVolume
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Name: "pvc-1"}, &volume); err != nil {
		w.t.Fatal(err)
	}
	return w.claim().Status.Capacity.Storage().String(), volume.Spec.Capacity.Storage().String()
}

func (w *world) event() string {
	select {
	case said := <-w.events.Events:
		return said
	default:
		return ""
	}
}

func TestResize_publishes_what_the_volume_has(t *testing.T) {
	t.Parallel()
	w := start(t, func(*corev1.PersistentVolumeClaim, *corev1.PersistentVolume) {})
	if err := w.pass(); err != nil {
		t.Fatal(err)
	}
	if claimed, provided := w.capacities(); claimed != "2Gi" || provided != "2Gi" {
		t.Errorf("claim %s, volume %s", claimed, provided)
	}
	request := w.asked[0]
	if request.GetVolumeId() != "handle" || request.GetCapacityRange().GetRequiredBytes() != 1500<<20 ||
		request.GetSecrets()["userID"] != "rook-ceph/expand" || request.GetVolumeCapability().GetMount() == nil {
		t.Errorf("asked %v", request)
	}
	if said := w.event(); !strings.Contains(said, "VolumeResizeSuccessful Resized volume pvc-1 to 2Gi") {
		t.Errorf("event %q", said)
	}
}

func TestResize_leaves_the_rest_to_the_node(t *testing.T) {
	t.Parallel()
	w := start(t, func(*corev1.PersistentVolumeClaim, *corev1.PersistentVolume) {})
	w.node = true
	if err := w.pass(); err != nil {
		t.Fatal(err)
	}
	if claimed, provided := w.capacities(); claimed != "1Gi" || provided != "2Gi" {
		t.Errorf("claim %s, volume %s", claimed, provided)
	}
	status := w.claim().Status
	if status.AllocatedResources.Storage().String() != "2Gi" ||
		status.AllocatedResourceStatuses[corev1.ResourceStorage] != corev1.PersistentVolumeClaimNodeResizePending {
		t.Errorf("status %+v", status)
	}
	if len(status.Conditions) != 1 || status.Conditions[0].Type != corev1.PersistentVolumeClaimFileSystemResizePending ||
		status.Conditions[0].Status != corev1.ConditionTrue || status.Conditions[0].LastTransitionTime.IsZero() {
		t.Errorf("conditions %+v", status.Conditions)
	}
	if said := w.event(); !strings.Contains(said, "FileSystemResizeRequired Resized volume pvc-1 to 2Gi") {
		t.Errorf("event %q", said)
	}
	// What the cache shows next.
	if err := w.r.Claims.GetIndexer().Update(w.claim()); err != nil {
		t.Fatal(err)
	}
	if err := w.pass(); err != nil || len(w.asked) != 1 || w.event() != "" {
		t.Errorf("a second pass: %v, asked %d times", err, len(w.asked))
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		asked, has, allocated string
		state                 corev1.ClaimResourceStatus
		want                  bool
	}{
		"more":                                   {"2Gi", "1Gi", "", "", true},
		"no_more":                                {"1Gi", "1Gi", "", "", false},
		"less_than_it_has":                       {"1Gi", "2Gi", "", "", false},
		"what_its_node_has_yet_to_do":            {"2Gi", "1Gi", "2Gi", corev1.PersistentVolumeClaimNodeResizePending, false},
		"less_than_its_node_has_yet_to_do":       {"2Gi", "1Gi", "3Gi", corev1.PersistentVolumeClaimNodeResizePending, false},
		"what_its_node_does":                     {"2Gi", "1Gi", "2Gi", corev1.PersistentVolumeClaimNodeResizeInProgress, false},
		"what_its_node_cannot_do":                {"2Gi", "1Gi", "2Gi", corev1.PersistentVolumeClaimNodeResizeInfeasible, false},
		"more_than_its_node_has_yet_to_do":       {"3Gi", "1Gi", "2Gi", corev1.PersistentVolumeClaimNodeResizePending, true},
		"what_another_resizer_began":             {"2Gi", "1Gi", "2Gi", corev1.PersistentVolumeClaimControllerResizeInProgress, true},
		"more_again_after_its_node_did_its_part": {"3Gi", "2Gi", "2Gi", "", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claim := &corev1.PersistentVolumeClaim{
				Spec: corev1.PersistentVolumeClaimSpec{
					VolumeName: "pvc-1", Resources: corev1.VolumeResourceRequirements{Requests: storage(tc.asked)},
				},
				Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Capacity: storage(tc.has)},
			}
			if tc.allocated != "" {
				claim.Status.AllocatedResources = storage(tc.allocated)
			}
			if tc.state != "" {
				claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{corev1.ResourceStorage: tc.state}
			}
			if got := resize.Wants(claim); got != tc.want {
				t.Errorf("want %t, got %t", tc.want, got)
			}
		})
	}
}

func TestResize_says_why_it_failed_and_shows_no_more_than_there_is(t *testing.T) {
	t.Parallel()
	w := start(t, func(*corev1.PersistentVolumeClaim, *corev1.PersistentVolume) {})
	w.fail = status.Error(codes.InvalidArgument, "the volume shows a snapshot")
	if err := w.pass(); err == nil {
		t.Error("no error")
	}
	if claimed, provided := w.capacities(); claimed != "1Gi" || provided != "1Gi" {
		t.Errorf("claim %s, volume %s", claimed, provided)
	}
	if said := w.event(); said != "Warning VolumeResizeFailed the volume shows a snapshot" {
		t.Errorf("event %q", said)
	}
}

func TestResize_leaves_alone(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*corev1.PersistentVolumeClaim, *corev1.PersistentVolume){
		"a_claim_that_has_enough": func(c *corev1.PersistentVolumeClaim, _ *corev1.PersistentVolume) {
			c.Spec.Resources.Requests = storage("1Gi")
		},
		"a_claim_that_is_not_bound": func(c *corev1.PersistentVolumeClaim, _ *corev1.PersistentVolume) {
			c.Status.Phase = corev1.ClaimPending
		},
		"another_driver":                 func(_ *corev1.PersistentVolumeClaim, v *corev1.PersistentVolume) { v.Spec.CSI.Driver = "other" },
		"a_volume_that_is_no_CSI_volume": func(_ *corev1.PersistentVolumeClaim, v *corev1.PersistentVolume) { v.Spec.CSI = nil },
		"a_volume_of_another_claim":      func(_ *corev1.PersistentVolumeClaim, v *corev1.PersistentVolume) { v.Spec.ClaimRef.UID = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, edit)
			if err := w.pass(); err != nil || len(w.asked) > 0 || w.event() != "" {
				t.Errorf("%v, asked %v", err, w.asked)
			}
		})
	}
}
