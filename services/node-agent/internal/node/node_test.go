package node_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

var (
	errAttach = errors.New("daemon does not start")
	errDetach = errors.New("device is busy")
)

func TestVolume_is_held_while_it_is_staged(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, capability := range []*csipb.VolumeCapability{mounted(), block()} {
				if err := w.stage(v, capability); err != nil {
					t.Fatal(err)
				}
				want := &journal.Holder{Node: "n1", Address: address, Backend: "fuse"}
				if diff := cmp.Diff(want, w.entry(v).Holder); diff != "" {
					t.Errorf("holder while staged: want -, got +:\n%s", diff)
				}
				if err := w.unstage(v); err != nil {
					t.Fatal(err)
				}
				if held := w.entry(v).Holder; held != nil {
					t.Errorf("holder after unstaging: %+v", held)
				}
				w.contents.Signatures = []probe.Signature{{Type: "ext4", Kind: probe.Filesystem}}
			}
			if diff := cmp.Diff([]string{"ext4"}, w.made); diff != "" {
				t.Errorf("made file systems: want -, got +:\n%s", diff)
			}
		})
	}
}

func TestVolume_of_another_node_is_refused(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.withPool(func(opened storage.Pool) {
				if _, err := (journal.Journal{Omaps: opened}).Claim(t.Context(), v.entry, journal.Holder{Node: "n2"}); err != nil {
					t.Fatal(err)
				}
			})
			if err := w.stage(v, mounted()); status.Code(err) != codes.FailedPrecondition {
				t.Errorf("want FailedPrecondition, got %v", err)
			}
			if held := w.entry(v).Holder; held == nil || held.Node != "n2" {
				t.Errorf("holder %+v", held)
			}
		})
	}
}

func TestFailedAttachment(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		t.Run(name+"_that_left_nothing_ends_the_hold", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.attaching = errAttach
			if err := w.stage(v, mounted()); err == nil {
				t.Fatal("want the failure")
			}
			if held := w.entry(v).Holder; held != nil {
				t.Errorf("holder %+v", held)
			}
		})
		t.Run(name+"_whose_cleanup_failed_keeps_the_hold", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.attaching, w.detaching = errAttach, errDetach
			if err := w.stage(v, mounted()); err == nil {
				t.Fatal("want the failure")
			}
			if held := w.entry(v).Holder; held == nil || held.Node != "n1" {
				t.Errorf("the image may be open here, and the holder is %+v", held)
			}
			w.broken, w.detaching = true, nil
			if err := w.unstage(v); err != nil {
				t.Fatal(err)
			}
			if held := w.entry(v).Holder; held != nil {
				t.Errorf("holder after the cleanup: %+v", held)
			}
		})
	}
}

// racing is a cluster where another node formats the volume and lets go of it between
// this node's look at the journal and its claim.
type racing struct {
	*storagetest.Cluster
	entry string
}

type racingPool struct {
	storage.Pool
	entry string
}

func (r racing) DialStorage(context.Context, api.Connection, keyring.Key) (storage.Cluster, error) {
	return r, nil
}

func (r racing) Pool(ctx context.Context, name, namespace string) (storage.Pool, error) {
	opened, err := r.Cluster.Pool(ctx, name, namespace)
	return racingPool{opened, r.entry}, err
}

func (p racingPool) Lock(ctx context.Context, object, name, cookie string, lease time.Duration) error {
	format := journal.Format{State: journal.Formatted, Type: "ext4"}
	if err := (journal.Journal{Omaps: p.Pool}).SetFormat(ctx, p.entry, format); err != nil {
		return err
	}
	return p.Pool.Lock(ctx, object, name, cookie, lease)
}

func TestStage_formats_no_volume_that_another_node_formatted_meanwhile(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.server.Dialer = racing{w.cluster, v.entry}
			// The device looks blank: what the other node wrote is gone, or not seen yet.
			if err := w.stage(v, mounted()); status.Code(err) != codes.FailedPrecondition {
				t.Errorf("want FailedPrecondition, got %v", err)
			}
			if len(w.made) > 0 {
				t.Errorf("made %v over what the journal says is formatted", w.made)
			}
		})
	}
}

func TestStage_mounts_what_an_interrupted_mkfs_finished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := volumes()["dynamic"]
	w.withPool(func(opened storage.Pool) {
		begun := journal.Format{State: journal.Formatting, Type: "ext4"}
		if err := (journal.Journal{Omaps: opened}).SetFormat(t.Context(), v.entry, begun); err != nil {
			t.Fatal(err)
		}
	})
	w.contents.Signatures = []probe.Signature{{Type: "ext4", Kind: probe.Filesystem}}
	if err := w.stage(v, mounted()); err != nil {
		t.Fatal(err)
	}
	if len(w.made) > 0 {
		t.Errorf("made %v over a finished file system", w.made)
	}
	if got := w.entry(v).Format; got != (journal.Format{State: journal.Formatted, Type: "ext4"}) {
		t.Errorf("journal says %+v", got)
	}
}

func TestStage_takes_the_identity_of_nodes_where_the_class_names_no_Secret(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := w.server.NodeStageVolume(t.Context(), &csipb.NodeStageVolumeRequest{
				VolumeId: v.handle, StagingTargetPath: w.staging(), VolumeCapability: mounted(), VolumeContext: v.attributes,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := w.cluster.Dialled(); len(got) != 1 || got[0].Entity != "client.of-rook-ceph" {
				t.Errorf("dialled as %v", got)
			}
		})
	}
}

func TestUnstage_speaks_as_who_staged_that_volume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := volumes()["dynamic"], volumes()["static"]
	if err := errors.Join(w.stageAs("alice", a, block()), w.stageAs("bob", b, block())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.unstage(a), w.unstage(b)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, key := range w.cluster.Dialled() {
		got = append(got, key.Entity)
	}
	if diff := cmp.Diff([]string{"client.alice", "client.bob", "client.alice", "client.bob"}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestStage_refuses_a_Secret_without_a_key(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.server.NodeStageVolume(t.Context(), &csipb.NodeStageVolumeRequest{
		VolumeId: dynamic, StagingTargetPath: w.staging(), VolumeCapability: mounted(), Secrets: map[string]string{"userID": "x"},
	})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("want InvalidArgument, got %v", err)
	}
}

func TestPublish_binds_no_device_that_lost_its_image(t *testing.T) {
	t.Parallel()
	for name, v := range volumes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.stage(v, block()); err != nil {
				t.Fatal(err)
			}
			publish := func(target string) error {
				_, err := w.server.NodePublishVolume(t.Context(), &csipb.NodePublishVolumeRequest{
					VolumeId: v.handle, StagingTargetPath: w.staging(), TargetPath: filepath.Join(w.dir, target), VolumeCapability: block(),
				})
				return err
			}
			if err := publish("first"); err != nil {
				t.Fatal(err)
			}
			w.broken = true
			if err := publish("second"); status.Code(err) != codes.FailedPrecondition {
				t.Errorf("want FailedPrecondition, got %v", err)
			}
		})
	}
}
