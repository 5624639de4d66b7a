//go:build e2e

package refusals

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestAMalformedManifestIsRefusedWithFieldAndFix(t *testing.T) {
	h := harness.New(t)
	for name, tc := range map[string]struct {
		edit  func(*api.ClusterSpec)
		field string
		fix   string
	}{
		"filter": {
			func(s *api.ClusterSpec) { s.Storage.DeviceFilter = "^sd[b" },
			"spec.storage.deviceFilter", "must be a regular expression (RE2); correct it"},
		"filter of a node": {
			func(s *api.ClusterSpec) {
				s.Storage.Nodes = []api.Node{{Name: "node1", Selection: api.Selection{DevicePathFilter: "("}}}
			},
			"spec.storage.nodes[0].devicePathFilter", "must be a regular expression (RE2); correct it"},
		"device without a name": {
			func(s *api.ClusterSpec) {
				s.Storage.Nodes = []api.Node{{Name: "node1", Selection: api.Selection{Devices: []api.Device{{}}}}}
			},
			"spec.storage.nodes[0].devices[0].name", "must have `name`"},
		"path of Ceph's own": {
			func(s *api.ClusterSpec) { s.DataDirHostPath = "/etc/ceph" },
			"spec.dataDirHostPath", "use /var/lib/rook"},
		"ratios out of order": {
			func(s *api.ClusterSpec) {
				s.Storage.NearFullRatio, s.Storage.FullRatio = ptr.To(0.97), ptr.To(0.95)
			},
			"spec.storage.nearFullRatio", "lower it"},
		"too many monitors": {
			func(s *api.ClusterSpec) { s.Mon.Count = 11 },
			"spec.mon.count", "less than or equal to 9"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := &api.CephCluster{
				ObjectMeta: metav1.ObjectMeta{Name: "malformed", Namespace: metav1.NamespaceDefault},
				Spec: api.ClusterSpec{
					CephVersion: api.CephVersionSpec{Image: h.Settings.CephImage()}, DataDirHostPath: "/var/lib/rook"},
			}
			tc.edit(&bad.Spec)
			assertRefused(t, h.Create(t.Context(), bad, client.DryRunAll), tc.field, tc.fix)
		})
	}
}

func TestAMalformedEditOfAClusterThatRunsIsRefused(t *testing.T) {
	h := harness.New(t)
	before := h.Daemons(t)
	for name, tc := range map[string]struct {
		edit  func(*api.ClusterSpec)
		field string
		fix   string
	}{
		"filter": {
			func(s *api.ClusterSpec) { s.Storage.DeviceFilter = "(" },
			"spec.storage.deviceFilter", "must be a regular expression (RE2); correct it"},
		"directory of the monitors": {
			func(s *api.ClusterSpec) { s.DataDirHostPath = "/var/lib/elsewhere" },
			"spec.dataDirHostPath", "must not change"},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := h.Cluster(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			edited := now.DeepCopy()
			tc.edit(&edited.Spec)
			assertRefused(t, h.Patch(t.Context(), edited, client.MergeFrom(now)), tc.field, tc.fix)
		})
	}
	before.AssertUntouched(t, h.Daemons(t))
}

func TestASecondClusterOfANamespaceIsToldSoAndGoesAtOnce(t *testing.T) {
	h := harness.New(t)
	before := h.Daemons(t)
	second := &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "second", Namespace: harness.Namespace},
		Spec: api.ClusterSpec{
			CephVersion: api.CephVersionSpec{Image: h.Settings.CephImage()}, DataDirHostPath: "/var/lib/rook"},
	}
	h.CreateAll(t, second)
	h.Eventually(t, soon, "the second cluster is told whose namespace it is", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(second), second); err != nil {
			return false, err.Error()
		}
		want := harness.Expected{
			Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: api.ReasonInvalidSpec, Words: []string{harness.Namespace, "namespace of its own"}}
		return want.Met(second.Status.Conditions)
	})
	h.Remove(t, soon, second)
	h.AwaitSettled(t, soon)
	before.AssertUntouched(t, h.Daemons(t))
}

func TestAMalformedPoolIsRefusedWithFieldAndFix(t *testing.T) {
	h := harness.New(t)
	bad := &api.CephBlockPool{ObjectMeta: metav1.ObjectMeta{Name: "malformed", Namespace: harness.Namespace}}
	bad.Spec.Replicated.Size = 3
	bad.Spec.ErasureCoded.DataChunks, bad.Spec.ErasureCoded.CodingChunks = 2, 1
	assertRefused(t, h.Create(t.Context(), bad, client.DryRunAll), "spec", "exactly one of `replicated")
	if err := h.Get(t.Context(), client.ObjectKeyFromObject(bad), bad); !apierrors.IsNotFound(err) {
		t.Errorf("the pool is there: %v", err)
	}
}

// assertRefused fails the test unless the API server named the field and the fix.
func assertRefused(t *testing.T, err error, field, fix string) {
	t.Helper()
	if !apierrors.IsInvalid(err) {
		t.Fatalf("not refused as invalid: %v", err)
	}
	status, _ := err.(apierrors.APIStatus)
	for _, cause := range status.Status().Details.Causes {
		if cause.Field == field && strings.Contains(cause.Message, fix) {
			return
		}
	}
	t.Errorf("no cause names %s and %q: %v", field, fix, err)
}
