package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
)

func TestThePageSaysWhatIsWrongAndNothingEmpty(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{api.AddToScheme, objectbucket.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph"}}
	cluster.Status.Phase = api.PhaseReady
	cluster.Status.CephStatus = &api.CephStatus{Health: "HEALTH_ERR", Details: map[string]api.CephHealthMessage{"OSD_DOWN": {Message: "1 osds down"}}}
	cluster.Status.Conditions = []api.Condition{
		{Type: api.ConditionOSDsServing, Status: metav1.ConditionFalse, Message: "Waiting for OSD 1"},
		{Type: api.ConditionManagerActive, Status: metav1.ConditionTrue},
	}
	bucket := func(name, bucket string) *objectbucket.ObjectBucketClaim {
		return &objectbucket.ObjectBucketClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: workloadNamespace, Name: name},
			Status:     objectbucket.ObjectBucketClaimStatus{Phase: objectbucket.ObjectBucketClaimBound, BucketName: bucket},
		}
	}
	kube := fake.NewClientBuilder().WithScheme(scheme).WithObjects(cluster, bucket("a", "a-1"), bucket("b", "")).Build()
	var out strings.Builder
	for _, err := range []error{clusters(t.Context(), kube, "rook-ceph", &out), buckets(t.Context(), kube, "rook-ceph", &out)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := "\nCephCluster rook-ceph/rook-ceph\tReady\tHEALTH_ERR (OSD_DOWN: 1 osds down)\n" +
		"  ManagerActive\tTrue\n  OSDsServing\tFalse\tWaiting for OSD 1\n" +
		"\nBucket demo/a\tBound\ta-1\n\nBucket demo/b\tBound\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}
