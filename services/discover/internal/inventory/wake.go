package inventory

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/rook-ceph/rook-ceph/services/discover/internal/hotplug"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// NewAlarm returns a function that starts a pass and the channel that Register
// wants. The first pass is started already. Calls in a row make one pass.
func NewAlarm() (wake func(), woken <-chan event.GenericEvent) {
	alarm := make(chan event.GenericEvent, 1)
	wake = func() {
		select {
		case alarm <- event.GenericEvent{Object: &inventory.CephDisk{}}:
		default: // one is waiting already, and will see what was touched
		}
	}
	wake()
	return wake, alarm
}

// Hear returns a listener for hotplug that touches what changed and then wakes.
func (d *Devices) Hear(wake func()) func(context.Context, hotplug.Batch) {
	return func(_ context.Context, batch hotplug.Batch) {
		if batch.All {
			d.TouchAll()
		}
		d.Touch(batch.Devices...)
		wake()
	}
}
