package node_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

var errGrow = errors.New("permission denied")

// grow makes the images larger, as the controller does.
func (w *world) grow(size uint64) {
	w.t.Helper()
	w.withPool(func(opened storage.Pool) {
		if err := errors.Join(opened.GrowImage(w.t.Context(), image, size), opened.GrowImage(w.t.Context(), byHand, size)); err != nil {
			w.t.Fatal(err)
		}
	})
}

func (w *world) expand(v volume, path string, capability *csipb.VolumeCapability) (*csipb.NodeExpandVolumeResponse, error) {
	return w.server.NodeExpandVolume(w.t.Context(), &csipb.NodeExpandVolumeRequest{
		VolumeId: v.handle, VolumePath: path, StagingTargetPath: w.staging(), VolumeCapability: capability,
		CapacityRange: &csipb.CapacityRange{RequiredBytes: 3 << 30},
	})
}

func reader() *csipb.VolumeCapability {
	capability := mounted()
	capability.AccessMode.Mode = csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY
	return capability
}

func ext4() []probe.Signature { return []probe.Signature{{Type: "ext4", Kind: probe.Filesystem}} }

func TestExpand_grows_the_device_and_what_is_mounted_from_it(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		for use, tc := range map[string]struct {
			capability *csipb.VolumeCapability
			want       []string
		}{
			"mounted":   {mounted(), []string{"device device to 2147483648", "ext4 of device at " + filepath.Base(v.handle)}},
			"raw":       {block(), []string{"device device to 2147483648"}},
			"read_only": {reader(), nil},
		} {
			t.Run(name+"_"+use, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.contents.Signatures = ext4()
				if err := w.stage(v, tc.capability); err != nil {
					t.Fatal(err)
				}
				w.grow(2 << 30)
				response, err := w.expand(v, w.dir, tc.capability)
				if err != nil || response.GetCapacityBytes() != 2<<30 {
					t.Errorf("%v, %v", response, err)
				}
				if diff := cmp.Diff(tc.want, w.grown); diff != "" {
					t.Errorf("grown: want -, got +:\n%s", diff)
				}
			})
		}
	}
}

func TestExpand_refuses(t *testing.T) {
	t.Parallel()
	v := volumes()["dynamic"]
	cases := map[string]struct {
		edit func(*world)
		path string
		code codes.Code
	}{
		"without_a_path":                       {func(*world) {}, "", codes.InvalidArgument},
		"a_path_that_is_not_there":             {func(*world) {}, "/not/there", codes.NotFound},
		"a_volume_that_is_not_here":            {func(w *world) { clear(w.records) }, "/", codes.NotFound},
		"a_device_that_lost_its_image":         {func(w *world) { w.broken = true }, "/", codes.FailedPrecondition},
		"a_file_system_that_is_not_mounted":    {func(w *world) { w.mounter.MountPoints = nil }, "/", codes.FailedPrecondition},
		"while_the_controller_grows_the_image": {func(w *world) { w.lock(v) }, "/", codes.Unavailable},
		"what_the_file_system_refuses":         {func(w *world) { w.growing = errGrow }, "/", codes.Internal},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.stage(v, mounted()); err != nil {
				t.Fatal(err)
			}
			tc.edit(w)
			if _, err := w.expand(v, tc.path, mounted()); status.Code(err) != tc.code {
				t.Errorf("want %s, got %v", tc.code, err)
			}
		})
	}
}

// lock is what the controller holds while it grows the image of a volume.
func (w *world) lock(v volume) {
	w.t.Helper()
	w.withPool(func(opened storage.Pool) {
		if err := opened.Lock(w.t.Context(), "csi.volume."+v.entry, "rook.claim", "controller", time.Minute); err != nil {
			w.t.Fatal(err)
		}
	})
}

func TestExpand_is_offered(t *testing.T) {
	t.Parallel()
	response, err := newWorld(t).server.NodeGetCapabilities(t.Context(), nil)
	if err != nil || !slices.ContainsFunc(response.GetCapabilities(), func(c *csipb.NodeServiceCapability) bool {
		return c.GetRpc().GetType() == csipb.NodeServiceCapability_RPC_EXPAND_VOLUME
	}) {
		t.Errorf("%v, %v", response, err)
	}
}

func TestStage_grows_a_file_system_whose_device_grew_meanwhile(t *testing.T) {
	t.Parallel()
	v := volumes()["dynamic"]
	grown := []string{"ext4 of device at " + v.handle}
	for name, tc := range map[string]struct {
		capability *csipb.VolumeCapability
		spare      int64
		want       []string
	}{
		"device_that_grew":                 {mounted(), 1 << 30, grown},
		"device_that_is_in_use_altogether": {mounted(), 0, nil},
		"end_that_mkfs_left":               {mounted(), 2 << 20, nil},
		"read_only_volume":                 {reader(), 1 << 30, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.contents.Signatures, w.contents.Spare = ext4(), tc.spare
			if err := w.stage(v, tc.capability); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, w.grown); diff != "" {
				t.Errorf("grown: want -, got +:\n%s", diff)
			}
		})
	}
}

func TestStage_leaves_nothing_mounted_that_is_smaller_than_its_device(t *testing.T) {
	t.Parallel()
	w, v := newWorld(t), volumes()["dynamic"]
	w.contents.Signatures, w.contents.Spare, w.growing = ext4(), 1<<30, errGrow
	if err := w.stage(v, mounted()); status.Code(err) != codes.Internal {
		t.Fatalf("want Internal, got %v", err)
	}
	if len(w.mounter.MountPoints) > 0 {
		t.Errorf("mounted: %v", w.mounter.MountPoints)
	}
	w.growing = nil
	if err := w.stage(v, mounted()); err != nil || len(w.mounter.MountPoints) != 1 {
		t.Errorf("the next try: %v, mounted %v", err, w.mounter.MountPoints)
	}
}
