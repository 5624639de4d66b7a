package v1alpha1_test

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

func TestVerdictIsTheClustersElseTheProbes(t *testing.T) {
	probe := &inventory.DiskProbe{State: inventory.ProbeAvailable, Reason: "Empty", Message: "m"}
	selection := &inventory.DiskSelection{State: inventory.SelectionNotSelected, Reason: "DeviceFilter", Message: "n"}
	for name, tc := range map[string]struct {
		status inventory.CephDiskStatus
		want   [3]string
	}{
		"nobody has looked":    {inventory.CephDiskStatus{}, [3]string{}},
		"only discover has":    {inventory.CephDiskStatus{Probe: probe}, [3]string{"Available", "Empty", "m"}},
		"osd-manager has too":  {inventory.CephDiskStatus{Probe: probe, Selection: selection}, [3]string{"NotSelected", "DeviceFilter", "n"}},
		"the probe is not yet": {inventory.CephDiskStatus{Selection: selection}, [3]string{"NotSelected", "DeviceFilter", "n"}},
	} {
		state, reason, message := tc.status.Verdict()
		if got := [3]string{state, reason, message}; got != tc.want {
			t.Errorf("%s: Verdict = %v, want %v", name, got, tc.want)
		}
	}
}

func TestFormatSizeReadsWell(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0B", 512: "512B", 1024: "1KiB", 10 << 30: "10GiB", 4000787030016: "3.6TiB", 1000204886016: "931.5GiB", 1<<63 - 1: "8EiB",
	} {
		if got := inventory.FormatSize(bytes); got != want {
			t.Errorf("FormatSize(%d) = %s, want %s", bytes, got, want)
		}
	}
}

func TestStatusMarshalsOnlyThePieceThatIsSet(t *testing.T) {
	id := int32(0)
	for want, piece := range map[string]any{
		`{}`: inventory.CephDiskStatus{},
		`{"selection":{"cluster":{"namespace":"a","name":"b"},"state":"Prepared","osdID":0}}`: inventory.CephDiskStatus{
			Selection: &inventory.DiskSelection{
				Cluster: inventory.ClusterReference{Namespace: "a", Name: "b"}, State: inventory.SelectionPrepared, OSDID: &id,
			},
		},
		`{"state":"Running"}`: inventory.CephOSDStatus{State: inventory.OSDStateRunning},
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

func TestAddToSchemeKnowsEveryKind(t *testing.T) {
	scheme := runtime.NewScheme()
	for range 2 {
		if err := inventory.AddToScheme(scheme); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"CephDisk", "CephDiskList", "CephOSD", "CephOSDList"} {
		if !scheme.Recognizes(inventory.SchemeGroupVersion.WithKind(kind)) {
			t.Errorf("scheme does not know %s", kind)
		}
	}
	if got := inventory.Resource("cephdisks").String(); got != "cephdisks.inventory.ceph.rook.io" {
		t.Errorf("Resource = %s", got)
	}
}
