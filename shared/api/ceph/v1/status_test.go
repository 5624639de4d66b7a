package v1_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestStatusMarshalsOnlyThePieceThatIsSet(t *testing.T) {
	for want, piece := range map[string]any{
		`{}`: api.ClusterStatus{},
		`{"connection":{"fsid":"f","monHost":"h"}}`:    api.ClusterStatus{Connection: &api.Connection{FSID: "f", MonHost: "h"}},
		`{"daemons":{"osd":{"version":"18.2.7-0"}}}`:   api.ClusterStatus{Daemons: map[string]api.DaemonStatus{api.RoleOSD: {Version: "18.2.7-0"}}},
		`{"cephx":{"osd":{"keyGeneration":1}}}`:        api.ClusterStatus{Cephx: &api.ClusterCephxStatus{OSD: &api.CephxStatus{KeyGeneration: 1}}},
		`{"osds":{"planned":3,"up":0,"in":0}}`:         api.ClusterStatus{OSDs: &api.OSDsStatus{Planned: 3}},
		`{"monitors":{"members":[{"name":"a"}]}}`:      api.ClusterStatus{Monitors: &api.MonitorsStatus{Members: []api.MonitorStatus{{Name: "a"}}}},
		`{"ceph":{"health":"HEALTH_OK"}}`:              api.ClusterStatus{CephStatus: &api.CephStatus{Health: "HEALTH_OK"}},
		`{"storage":{"deviceClasses":[{"name":"x"}]}}`: api.ClusterStatus{CephStorage: &api.CephStorage{DeviceClasses: []api.DeviceClasses{{Name: "x"}}}},
		`{"conditions":[{"type":"Ready","status":"True"}]}`: api.ClusterStatus{Conditions: []api.Condition{
			{Type: api.ConditionReady, Status: metav1.ConditionTrue},
		}},
		`{"phase":"Ready"}`: api.CephBlockPoolStatus{Phase: api.PhaseReady},
	} {
		got, err := json.Marshal(piece)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("piece marshals to %s, want %s", got, want)
		}
	}
}

// TestStatusNeverMarshalsAnUnsetTime walks all status types: a time that is not
// a pointer would be written as null, and so be owned, by whoever sets a
// neighbour.
func TestStatusNeverMarshalsAnUnsetTime(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[metav1.Time]() {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			field := typ.Field(i)
			name := path + "." + field.Name
			if field.Type == reflect.TypeFor[metav1.Time]() {
				t.Errorf("%s is a metav1.Time; make it a pointer", name)
			}
			tag := field.Tag.Get("json")
			optional := strings.Contains(tag, "omitempty") || strings.Contains(tag, "omitzero") || strings.Contains(tag, "inline")
			composite := field.Type.Kind() == reflect.Pointer || field.Type.Kind() == reflect.Slice || field.Type.Kind() == reflect.Map
			if composite && !optional {
				t.Errorf("%s is written as null when unset; add omitempty", name)
			}
			walk(name, field.Type)
		}
	}
	walk("ClusterStatus", reflect.TypeFor[api.ClusterStatus]())
	walk("CephBlockPoolStatus", reflect.TypeFor[api.CephBlockPoolStatus]())
}

func TestFromConditionKeepsEverything(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	got := api.FromCondition(metav1.Condition{
		Type: api.ConditionReady, Status: metav1.ConditionFalse, ObservedGeneration: 4, LastTransitionTime: at, Reason: "R", Message: "m",
	})
	want := api.Condition{
		Type: api.ConditionReady, Status: metav1.ConditionFalse, ObservedGeneration: 4, LastTransitionTime: &at, Reason: "R", Message: "m",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("FromCondition (-want +got):\n%s", diff)
	}
	if got := api.FromCondition(metav1.Condition{}); got.LastTransitionTime != nil {
		t.Errorf("a zero time became %v, want nil", got.LastTransitionTime)
	}
}

func TestFindConditionPointsIntoTheList(t *testing.T) {
	list := []api.Condition{{Type: "A", Status: metav1.ConditionFalse}, {Type: "B", Status: metav1.ConditionTrue}}
	if got := api.FindCondition(list, "B"); got != &list[1] {
		t.Errorf("FindCondition = %v, want the second element", got)
	}
	if api.FindCondition(list, "C") != nil || api.IsConditionTrue(list, "A") || !api.IsConditionTrue(list, "B") || api.IsConditionTrue(list, "C") {
		t.Error("conditions are found by type and true by status only")
	}
}

func TestEveryConditionHasOneWriter(t *testing.T) {
	for want, conditions := range map[string][]string{
		api.WriterQuorum:       {api.ConditionMonitorsInQuorum},
		api.WriterMgr:          {api.ConditionManagerActive},
		api.WriterUsers:        {api.ConditionUsersReady},
		api.WriterSettings:     {api.ConditionConfigApplied},
		api.WriterOSDs:         {api.ConditionOSDsServing, api.ConditionDisksSelected},
		api.WriterOSDTeardown:  {api.ConditionOSDsRemoved},
		api.WriterFilesystems:  {api.ConditionFilesystemsServing},
		api.WriterObjectStores: {api.ConditionObjectStoresServing},
		api.WriterProvisioning: {api.ConditionProvisioningReady},
		api.WriterReport: append(api.LegacyConditions(), api.ConditionReady, api.ConditionReconciling,
			api.ConditionStalled, api.ConditionUnsupportedFields, api.ConditionDeletionIsBlocked),
	} {
		for _, condition := range conditions {
			if got := api.Writer(condition); got != want {
				t.Errorf("Writer(%s) = %q, want %q", condition, got, want)
			}
		}
	}
	if got := api.Writer("NoSuchCondition"); got != "" {
		t.Errorf("Writer of an unknown condition = %q, want it empty", got)
	}
	for _, condition := range api.ServiceConditions() {
		if api.Writer(condition) == api.WriterReport {
			t.Errorf("%s is written by the one who sums up", condition)
		}
	}
}

func TestAddToSchemeKnowsEveryKind(t *testing.T) {
	scheme := runtime.NewScheme()
	for range 2 {
		if err := api.AddToScheme(scheme); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"CephCluster", "CephClusterList", "CephBlockPool", "CephBlockPoolList"} {
		if !scheme.Recognizes(api.SchemeGroupVersion.WithKind(kind)) {
			t.Errorf("scheme does not know %s", kind)
		}
	}
	if got := api.Resource("cephclusters").String(); got != "cephclusters.ceph.rook.io" {
		t.Errorf("Resource = %s", got)
	}
}
