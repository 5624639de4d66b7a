//go:build integration

package integration

import (
	"errors"
	"os"
	"path/filepath"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"

	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// staticMoves stages an image that somebody made by hand, without a Secret, and wants
// that the next node may have it afterwards.
func staticMoves(r *rig) {
	const image, size = "made-by-hand", 512 << 20
	r.withPool(func(pool storage.Pool) {
		if err := pool.CreateImage(r.t.Context(), image, storage.Layout{Size: size, Features: []string{"layering"}}); err != nil {
			r.t.Fatal(err)
		}
	})
	volume := &csipb.Volume{VolumeId: "pv-by-hand", VolumeContext: map[string]string{
		csi.AttributeStaticVolume: "true", csi.ParamClusterID: namespace, csi.ParamPool: poolName, csi.AttributeImageName: image,
		csi.ParamMapOptions: "krbd:rxbounce", csi.ParamUnmapOptions: "krbd:force",
	}}
	holder := func() *journal.Holder {
		r.t.Helper()
		var entry journal.Entry
		r.withPool(func(pool storage.Pool) {
			var err error
			if entry, err = (journal.Journal{Omaps: pool}).Entry(r.t.Context(), journal.StaticEntry(image)); err != nil {
				r.t.Fatal(err)
			}
		})
		return entry.Holder
	}
	known := r.secrets[csi.RBDNodeSecret]
	r.secrets[csi.RBDNodeSecret] = nil
	target, detach := r.attach(volume, mounted("ext4"), "static")
	r.secrets[csi.RBDNodeSecret] = known
	if err := os.WriteFile(filepath.Join(target, "data"), []byte("kept"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if held := holder(); held == nil || held.Node != nodeName || held.Address == "" {
		r.t.Errorf("holder while attached: %+v", held)
	}
	detach()
	if held := holder(); held != nil {
		r.t.Errorf("holder after detach: %+v", held)
	}
	target, detach = r.attach(volume, mounted("ext4"), "static-again")
	if got, err := os.ReadFile(filepath.Join(target, "data")); err != nil || string(got) != "kept" {
		r.t.Errorf("data is %q, %v", got, err)
	}
	detach()
	r.withPool(func(pool storage.Pool) {
		made, err := pool.Image(r.t.Context(), image)
		if err == nil {
			err = errors.Join(pool.TrashImage(r.t.Context(), image), pool.PurgeTrashed(r.t.Context(), made.ID))
		}
		if err != nil {
			r.t.Error(err)
		}
	})
}
