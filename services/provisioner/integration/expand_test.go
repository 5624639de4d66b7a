//go:build integration && librados

package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ceph/go-ceph/rados"
	"github.com/ceph/go-ceph/rbd"
	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

const (
	gibibyte = 1 << 30
	// Pools of these tests.
	volumePool, codedPool = "volumes", "coded"
)

// images is a world whose volumes are made with the rights of the CSI identity.
type images struct {
	*world
	key keyring.Key
	c   *volumes.Controller
}

func (i images) Connection(context.Context, string) (api.Connection, error) {
	return i.ceph.Connection(), nil
}

func (i images) ProvisionerKey(context.Context, string) (keyring.Key, error) { return i.key, nil }

func (w *world) images() images {
	w.t.Helper()
	identity := keyring.CSI()["csi-rbd-provisioner"]
	user, err := w.ceph.Client().AuthGetOrCreate(w.t.Context(), identity.Entity, identity.Caps)
	if err != nil {
		w.t.Fatal(err)
	}
	i := images{world: w, key: user.Key()}
	connections := &link.Connections{Dialer: librados.Dialer{}}
	w.t.Cleanup(func() { connections.Keep(nil) })
	i.c = &volumes.Controller{Clusters: i, Connections: connections}
	return i
}

func (i images) make(name, features, dataPool string) (handle, image string) {
	i.t.Helper()
	response, err := i.c.CreateVolume(i.t.Context(), &csipb.CreateVolumeRequest{
		Name: name, CapacityRange: &csipb.CapacityRange{RequiredBytes: gibibyte},
		Parameters: map[string]string{
			csi.ParamClusterID: "rook-ceph", csi.ParamPool: volumePool, csi.ParamDataPool: dataPool, csi.ParamImageFeatures: features,
		},
		VolumeCapabilities: []*csipb.VolumeCapability{{
			AccessType: &csipb.VolumeCapability_Block{Block: &csipb.VolumeCapability_BlockVolume{}},
			AccessMode: &csipb.VolumeCapability_AccessMode{Mode: csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
		}},
	})
	if err != nil {
		i.t.Fatal(err)
	}
	return response.GetVolume().GetVolumeId(), response.GetVolume().GetVolumeContext()[csi.AttributeImageName]
}

func (i images) expand(handle string, size int64) (int64, error) {
	response, err := i.c.ControllerExpandVolume(i.t.Context(), &csipb.ControllerExpandVolumeRequest{
		VolumeId: handle, CapacityRange: &csipb.CapacityRange{RequiredBytes: size},
	})
	return response.GetCapacityBytes(), err
}

func (i images) size(image string) (size uint64) {
	i.t.Helper()
	i.within(volumePool, "", func(ctx context.Context, p storage.Pool) error {
		found, err := p.Image(ctx, image)
		size = found.Size
		return err
	})
	return size
}

// expandsVolumes runs on images that nobody has open, and on some that a client holds the
// lock of.
func (w *world) expandsVolumes() {
	i := w.images()
	for name, features := range map[string]string{"plain": "layering", "locked": "layering,exclusive-lock,object-map,fast-diff"} {
		handle, image := i.make("pvc-"+name, features, "")
		i.withWriter(image, func() {
			for _, step := range []struct{ asked, want int64 }{{3*gibibyte - 1, 3 * gibibyte}, {3 * gibibyte, 3 * gibibyte}, {2 * gibibyte, 3 * gibibyte}} {
				if got, err := i.expand(handle, step.asked); err != nil || got != step.want || i.size(image) != uint64(step.want) {
					w.t.Errorf("%s: asked for %d: %d, %v; the image has %d", name, step.asked, got, err, i.size(image))
				}
			}
		})
		w.within(volumePool, "", func(ctx context.Context, p storage.Pool) error {
			if err := p.GrowImage(ctx, image, gibibyte); !errors.Is(err, ceph.ErrInvalid) || i.size(image) != 3*gibibyte {
				w.t.Errorf("%s: an order that would make it smaller: %v; the image has %d", name, err, i.size(image))
			}
			return nil
		})
	}
}

// withWriter runs do while a client that has written holds the image open.
func (i images) withWriter(image string, do func()) {
	i.t.Helper()
	i.raw(volumePool, func(ioctx *rados.IOContext) error {
		opened, err := rbd.OpenImage(ioctx, image, rbd.NoSnapshot)
		if err != nil {
			return err
		}
		defer opened.Close()
		if _, err := opened.WriteAt([]byte("precious"), 0); err != nil {
			return err
		}
		do()
		return nil
	})
}

func (w *world) refusesExpansion() {
	i := w.images()
	handle, image := i.make("pvc-coded", "layering", codedPool)
	quota := func(pool string, bytes uint64) {
		w.t.Helper()
		if err := w.ceph.Client().PoolSetMaxBytes(w.t.Context(), pool, bytes); err != nil {
			w.t.Fatal(err)
		}
	}
	quota(codedPool, 2*gibibyte)
	defer quota(codedPool, 0)
	for what, tc := range map[string]struct {
		handle string
		code   codes.Code
		word   string
	}{
		"more than the quota of the data pool": {handle, codes.OutOfRange, "pool coded has a quota of 2147483648"},
		"an unknown volume":                    {handle[:len(handle)-12] + "ffffffffffff", codes.NotFound, "ffffffffffff"},
		"an unknown pool":                      {strings.Replace(handle, fmt.Sprintf("%016x", i.poolID(volumePool)), "00000000000000ff", 1), codes.NotFound, "255"},
	} {
		_, err := i.expand(tc.handle, 3*gibibyte)
		if status.Code(err) != tc.code || !strings.Contains(status.Convert(err).Message(), tc.word) {
			w.t.Errorf("%s: want %s with %q, got %v", what, tc.code, tc.word, err)
		}
		if got := i.size(image); got != gibibyte {
			w.t.Errorf("%s: the image has %d", what, got)
		}
	}
	if got, err := i.expand(handle, 2*gibibyte); err != nil || got != 2*gibibyte {
		w.t.Errorf("as much as the quota: %d, %v", got, err)
	}
}

func (i images) poolID(name string) int {
	i.t.Helper()
	pools, err := i.ceph.Client().PoolList(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	return pools[slices.IndexFunc(pools, func(p ceph.Pool) bool { return p.Name == name })].ID
}
