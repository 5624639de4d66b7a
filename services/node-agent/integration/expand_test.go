//go:build integration

package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

const (
	mebibyte = 1 << 20
	// Sizes of a volume before and after: makeVolume makes the first.
	smaller, larger = 512 * mebibyte, 1024 * mebibyte
)

func testExpansion(t *testing.T, r *rig) {
	for _, kind := range []string{"xfs", "ext4"} {
		t.Run(kind+"_grows_while_it_is_mounted", r.with(mountedGrows(kind)))
		t.Run(kind+"_has_grown_when_it_is_staged_again", r.with(stagedAgainHasGrown(kind)))
	}
	t.Run("a_raw_device_grows_while_it_is_open", r.with(rawGrows))
	t.Run("nodes_take_no_size_back", r.with(noSizeTakenBack))
	t.Run("a_refused_expansion_changes_nothing", r.with(refusedExpansion))
	t.Run("a_claim_waits_for_its_node", r.with(claimWaitsForNode))
}

// mountedGrows expands a volume under a file that stays open, by a node-agent that did not
// stage it.
func mountedGrows(kind string) func(*rig) {
	return func(r *rig) {
		volume := r.makeVolume("pvc-grow-"+kind, mounted(kind))
		target, detach := r.attach(volume, mounted(kind), "grow-"+kind)
		file, err := os.Create(filepath.Join(target, "data"))
		if err != nil {
			r.t.Fatal(err)
		}
		content := make([]byte, 8*mebibyte)
		_, _ = rand.Read(content)
		if _, err := file.Write(content); err != nil {
			r.t.Fatal(err)
		}
		r.expandImage(volume, larger)
		r.killAgent()
		r.startAgent()
		err = r.expandNode(volume, target, mounted(kind))
		refused := kind == "ext4" && !mayResizeExt4(r.t)
		switch {
		case refused && !strings.Contains(status.Convert(err).Message(), "resize2fs: Permission denied"):
			r.t.Errorf("want what resize2fs says, got %v", err)
		case !refused && err != nil:
			r.t.Fatal(err)
		case !refused:
			r.expectRoom(target)
			r.fill(target)
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			r.t.Error(err)
		}
		if got, err := os.ReadFile(filepath.Join(target, "data")); err != nil || !bytes.Equal(got, content) {
			r.t.Errorf("data is not what was written (%v)", err)
		}
		detach()
		r.remove(volume)
		if refused {
			r.t.Skip("the kernel lets no process of this machine resize an ext4 (no CAP_SYS_RESOURCE): TestKernelClients does it")
		}
	}
}

func stagedAgainHasGrown(kind string) func(*rig) {
	return func(r *rig) {
		if kind == "ext4" && !mayResizeExt4(r.t) {
			r.t.Skip("the kernel lets no process of this machine resize an ext4 (no CAP_SYS_RESOURCE): TestKernelClients does it")
		}
		volume := r.makeVolume("pvc-regrow-"+kind, mounted(kind))
		target, detach := r.attach(volume, mounted(kind), "regrow-"+kind)
		if err := os.WriteFile(filepath.Join(target, "data"), []byte("kept"), 0o600); err != nil {
			r.t.Fatal(err)
		}
		detach()
		r.expandImage(volume, larger)
		target, detach = r.attach(volume, mounted(kind), "regrow-"+kind+"-again")
		r.expectRoom(target)
		if got, err := os.ReadFile(filepath.Join(target, "data")); err != nil || string(got) != "kept" {
			r.t.Errorf("data is %q, %v", got, err)
		}
		// The kubelet asks as well, since the claim does not have it yet.
		if err := r.expandNode(volume, target, mounted(kind)); err != nil {
			r.t.Error(err)
		}
		detach()
		r.remove(volume)
	}
}

func rawGrows(r *rig) {
	volume := r.makeVolume("pvc-grow-raw", block())
	target, detach := r.attach(volume, block(), "grow-raw")
	content := bytes.Repeat([]byte("rook"), mebibyte/4)
	r.writeDevice(target, content)
	device, err := os.OpenFile(target, os.O_RDWR, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer device.Close()
	r.expandImage(volume, larger)
	if err := r.expandNode(volume, target, block()); err != nil {
		r.t.Fatal(err)
	}
	if size, err := device.Seek(0, 2); err != nil || size != larger {
		r.t.Errorf("the device has %d, %v", size, err)
	}
	if _, err := device.WriteAt(content, larger-int64(len(content))); err != nil {
		r.t.Error(err)
	}
	if err := errors.Join(device.Sync(), device.Close()); err != nil {
		r.t.Error(err)
	}
	if got := r.imageSize(volume); got != larger {
		r.t.Errorf("the image has %d", got)
	}
	detach()
	target, detach = r.attach(volume, block(), "grow-raw-again")
	for _, at := range []int64{0, larger - int64(len(content))} {
		if got := r.readDevice(target, at, len(content)); !bytes.Equal(got, content) {
			r.t.Errorf("data at %d is not what was written", at)
		}
	}
	detach()
	r.remove(volume)
}

// noSizeTakenBack has a node show sizes while the controller goes on to larger ones.
func noSizeTakenBack(r *rig) {
	const steps, step = 24, 4 * mebibyte
	volume := r.makeVolume("pvc-race", block())
	target, detach := r.attach(volume, block(), "race")
	ctx, cancel := context.WithCancel(r.t.Context())
	var node sync.WaitGroup
	node.Go(func() {
		for ctx.Err() == nil {
			_, err := r.node().NodeExpandVolume(ctx, r.nodeExpansion(volume, target, block()))
			if code := status.Code(err); err != nil && code != codes.Unavailable && code != codes.Canceled {
				r.t.Error(err)
				return
			}
		}
	})
	for n := int64(1); n <= steps; n++ {
		size := smaller + n*step
		r.await("expansion to "+strconv.FormatInt(size, 10), func() error {
			_, err := r.controller().ControllerExpandVolume(ctx, r.imageExpansion(volume, size))
			return err
		})
		if got := r.imageSize(volume); got != uint64(size) {
			r.t.Fatalf("expanded to %d, and the image has %d", size, got)
		}
	}
	cancel()
	node.Wait()
	r.await("the node's part", func() error { return r.expandNode(volume, target, block()) })
	if got := r.imageSize(volume); got != smaller+steps*step {
		r.t.Errorf("the image has %d", got)
	}
	detach()
	r.remove(volume)
}

func refusedExpansion(r *rig) {
	volume := r.makeVolume("pvc-refused", block())
	client := r.ceph.Client()
	if err := client.PoolSetMaxBytes(r.t.Context(), poolName, larger-1); err != nil {
		r.t.Fatal(err)
	}
	_, err := r.controller().ControllerExpandVolume(r.t.Context(), r.imageExpansion(volume, larger))
	if err := client.PoolSetMaxBytes(r.t.Context(), poolName, 0); err != nil {
		r.t.Fatal(err)
	}
	if status.Code(err) != codes.OutOfRange || !strings.Contains(status.Convert(err).Message(), "has a quota of") {
		r.t.Errorf("more than the quota: %v", err)
	}
	response, err := r.controller().ControllerExpandVolume(r.t.Context(), r.imageExpansion(volume, mebibyte))
	if err != nil || response.GetCapacityBytes() != smaller {
		r.t.Errorf("less than it has: %v, %v", response, err)
	}
	if got := r.imageSize(volume); got != smaller {
		r.t.Errorf("the image has %d", got)
	}
	if err := r.expandNode(volume, r.dir, block()); status.Code(err) != codes.NotFound {
		r.t.Errorf("a volume that is not on the node: %v", err)
	}
	r.remove(volume)
	if _, err := r.controller().ControllerExpandVolume(r.t.Context(), r.imageExpansion(volume, larger)); status.Code(err) != codes.NotFound {
		r.t.Errorf("a volume that is gone: %v", err)
	}
}

func (r *rig) imageExpansion(volume *csipb.Volume, size int64) *csipb.ControllerExpandVolumeRequest {
	return &csipb.ControllerExpandVolumeRequest{
		VolumeId: volume.GetVolumeId(), CapacityRange: &csipb.CapacityRange{RequiredBytes: size}, Secrets: r.secrets[csi.RBDProvisionerSecret],
	}
}

func (r *rig) expandImage(volume *csipb.Volume, size int64) {
	r.t.Helper()
	response, err := r.controller().ControllerExpandVolume(r.t.Context(), r.imageExpansion(volume, size))
	if err != nil || response.GetCapacityBytes() != size || !response.GetNodeExpansionRequired() {
		r.t.Fatalf("%v, %v", response, err)
	}
}

func (r *rig) nodeExpansion(volume *csipb.Volume, target string, capability *csipb.VolumeCapability) *csipb.NodeExpandVolumeRequest {
	return &csipb.NodeExpandVolumeRequest{VolumeId: volume.GetVolumeId(), VolumePath: target, VolumeCapability: capability}
}

func (r *rig) expandNode(volume *csipb.Volume, target string, capability *csipb.VolumeCapability) error {
	_, err := r.node().NodeExpandVolume(r.t.Context(), r.nodeExpansion(volume, target, capability))
	return err
}

func (r *rig) imageSize(volume *csipb.Volume) (size uint64) {
	r.t.Helper()
	r.withPool(func(pool storage.Pool) {
		image, err := pool.Image(r.t.Context(), volume.GetVolumeContext()[csi.AttributeImageName])
		if err != nil {
			r.t.Fatal(err)
		}
		size = image.Size
	})
	return size
}

// expectRoom wants a file system that has the larger size, but for what it keeps for itself.
func (r *rig) expectRoom(target string) {
	r.t.Helper()
	var found unix.Statfs_t
	if err := unix.Statfs(target, &found); err != nil {
		r.t.Fatal(err)
	}
	if size := int64(found.Blocks) * found.Bsize; size <= larger*9/10 || size > larger {
		r.t.Errorf("the file system has %d of %d bytes", size, larger)
	}
}

// fill puts more into a file system than the smaller size holds.
func (r *rig) fill(target string) {
	r.t.Helper()
	file, err := os.Create(filepath.Join(target, "more"))
	if err != nil {
		r.t.Fatal(err)
	}
	err = unix.Fallocate(int(file.Fd()), 0, 0, smaller+64*mebibyte)
	if err == nil {
		_, err = file.WriteAt([]byte("the end"), smaller+64*mebibyte-7)
	}
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) readDevice(path string, at int64, length int) []byte {
	r.t.Helper()
	device, err := os.Open(path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer device.Close()
	content := make([]byte, length)
	if _, err := device.ReadAt(content, at); err != nil {
		r.t.Fatal(err)
	}
	return content
}

// mayResizeExt4 tells whether this machine lets root do all that root may.
func mayResizeExt4(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "CapEff:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	capabilities, err := strconv.ParseUint(number, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return capabilities>>unix.CAP_SYS_RESOURCE&1 == 1
}
