package prepare

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
)

func TestALostKeyWakesItsOSD(t *testing.T) {
	secret := func(data map[string][]byte) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: fleet.Keyring(someOSD())}, Data: data}
	}
	whole, bare := secret(map[string][]byte{fleet.Key: []byte("k")}), secret(nil)
	passes := keyLost()
	if !passes.Delete(event.DeleteEvent{Object: whole}) || !passes.Update(event.UpdateEvent{ObjectOld: whole, ObjectNew: bare}) {
		t.Error("a lost key goes unnoticed")
	}
	if passes.Create(event.CreateEvent{Object: whole}) || passes.Update(event.UpdateEvent{ObjectOld: whole, ObjectNew: whole}) {
		t.Error("a Secret that is whole wakes an OSD")
	}
	got := ofSecret(t.Context(), whole)
	if len(got) != 1 || got[0].Name != someOSD().Name || got[0].Namespace != "rook-ceph" {
		t.Errorf("it wakes %v", got)
	}
	for _, name := range []string{"rook-ceph-osd-n1", "rook-ceph-mon-a-keyring"} {
		other := secret(nil)
		other.Name = name
		if got := ofSecret(t.Context(), other); len(got) != 0 {
			t.Errorf("%s wakes %v", name, got)
		}
	}
}
