//go:build integration

package integration

import (
	"testing"

	"github.com/rook-ceph/rook-ceph/services/node-agent/integration/guest"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// growImage makes an image twice as large, as the controller does.
func (k *kernelRig) growImage(t *testing.T, volume attach.Volume) (size uint64) {
	t.Helper()
	k.withPool(func(pool storage.Pool) {
		image, err := pool.Image(t.Context(), volume.Image)
		size = 2 * image.Size
		if err == nil {
			err = pool.GrowImage(t.Context(), volume.Image, size)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return size
}

// mountedGrows grows a file system under its files: once while it is mounted, and once for
// an image that grew while it was not attached.
func (k *kernelRig) mountedGrows(t *testing.T, kind string) {
	volume := k.image(t, "grow-"+kind)
	made := k.attach(t, volume)
	mountAt := guest.MountArgs{Device: made.Device, Where: "/run/grow-" + kind, Kind: kind}
	grow := guest.GrowArgs{Handle: volume.ID, Where: mountAt.Where, Kind: kind}
	var formatted string
	k.machine.call(t, "Format", guest.FormatArgs{Device: made.Device, Kind: kind}, &formatted)
	k.machine.call(t, "Mount", mountAt, &guest.Nothing{})
	if ended := k.fill(t, mountAt.Where+"/data", 8, 4<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	before := k.total(t, volume, mountAt.Where)
	grow.Size = k.growImage(t, volume)
	for range 2 { // the second time there is nothing to do
		k.machine.call(t, "Grow", grow, &guest.Nothing{})
	}
	if after := k.total(t, volume, mountAt.Where); after < before*19/10 || after > int64(grow.Size) {
		t.Errorf("the file system had %d bytes, and has %d of %d", before, after, grow.Size)
	}
	k.machine.call(t, "Unmount", mountAt.Where, &guest.Nothing{})
	k.expectOutgrown(t, made.Device, false)
	k.detach(t, volume)

	grow.Size = k.growImage(t, volume)
	made = k.attach(t, volume)
	mountAt.Device = made.Device
	k.expectOutgrown(t, made.Device, true)
	k.machine.call(t, "Mount", mountAt, &guest.Nothing{})
	k.machine.call(t, "Grow", grow, &guest.Nothing{})
	if after := k.total(t, volume, mountAt.Where); after < before*38/10 || after > int64(grow.Size) {
		t.Errorf("the file system had %d bytes, and has %d of %d", before, after, grow.Size)
	}
	k.expectSum(t, mountAt.Where+"/data", 8, 4<<20)
	k.machine.call(t, "Unmount", mountAt.Where, &guest.Nothing{})
	k.expectOutgrown(t, made.Device, false)
	k.detach(t, volume)
}

func (k *kernelRig) expectOutgrown(t *testing.T, device string, want bool) {
	t.Helper()
	var outgrown bool
	k.machine.call(t, "Outgrown", device, &outgrown)
	if outgrown != want {
		t.Errorf("the device has outgrown its file system: %t, want %t", outgrown, want)
	}
}

func (k *kernelRig) total(t *testing.T, volume attach.Volume, where string) int64 {
	t.Helper()
	var health guest.Health
	k.machine.call(t, "Stats", guest.StatsArgs{Handle: volume.ID, Path: where}, &health)
	return health.Total
}

func (k *kernelRig) rawGrows(t *testing.T) {
	volume := k.image(t, "grow-raw")
	made := k.attach(t, volume)
	if ended := k.fill(t, made.Device, 10, 4<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	size := k.growImage(t, volume)
	k.machine.call(t, "Grow", guest.GrowArgs{Handle: volume.ID, Size: size}, &guest.Nothing{})
	if total := k.total(t, volume, made.Device); total != int64(size) {
		t.Errorf("the device has %d of %d bytes", total, size)
	}
	k.expectSum(t, made.Device, 10, 4<<20)
	k.detach(t, volume)
}
