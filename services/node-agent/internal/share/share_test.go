package share_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/fsmount"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/share"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

const (
	volumeUUID = "b0285c97-a0ce-11eb-8c66-0242ac110002"
	handle     = "0001-0009-rook-ceph-0000000000000001-" + volumeUUID
)

// world is a node whose mounts are in memory.
type world struct {
	t       *testing.T
	server  *share.Server
	mounter *mount.FakeMounter
	made    map[string]fsmount.Mount
	access  []fsmount.Access
	// cluster is what Ceph is asked for; nil where it must not be.
	cluster *storagetest.Cluster
	dead    bool
	fail    error
	// options are those of the cluster.
	options api.CSICephFSSpec
	dir     string
	// binds are the sources and options of bind mounts by the name of their target.
	binds map[string][]string
}

func (w *world) Connection(context.Context, string) (api.Connection, error) {
	return api.Connection{MonHost: "10.0.0.1"}, nil
}

func (w *world) Cluster(context.Context, string) (*api.CephCluster, error) {
	return &api.CephCluster{Spec: api.ClusterSpec{CSI: api.CSIDriverSpec{CephFS: w.options}}}, nil
}

func (w *world) NodeKey(context.Context, string) (keyring.Key, error) {
	return keyring.Key{Entity: "client.csi-cephfs-node", Secret: "fromCluster"}, nil
}

func (w *world) SubvolumeGroup(context.Context, string) (string, error) { return "csi", nil }

func (w *world) Mount(_ context.Context, access fsmount.Access, volume fsmount.Volume, wanted string) (fsmount.Mount, error) {
	w.made[volume.ID] = fsmount.Mount{Volume: volume, Mounter: wanted}
	if w.fail != nil {
		return fsmount.Mount{}, errors.Join(w.fail, w.mounter.Mount("half", volume.Where, "ceph", nil))
	}
	w.access = append(w.access, access)
	w.dead = false
	return w.made[volume.ID], w.mounter.Mount("ceph", volume.Where, "ceph", nil)
}

func (w *world) Await(context.Context, string) error { return nil }

func (w *world) End(_ context.Context, id string) error { delete(w.made, id); return nil }

func (w *world) Find(id string) (fsmount.Mount, error) {
	made, found := w.made[id]
	if !found {
		return fsmount.Mount{}, os.ErrNotExist
	}
	return made, nil
}

func (w *world) Serves(fsmount.Mount) bool { return !w.dead }

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, mounter: mount.NewFakeMounter(nil), made: map[string]fsmount.Mount{}, dir: t.TempDir(), binds: map[string][]string{}}
	w.restart()
	return w
}

// restart replaces the server by one that has seen nothing.
func (w *world) restart() {
	w.server = &share.Server{Self: call.Self{Node: "n1"}, Clusters: w, Dialer: w.cluster, Mounters: w, Mounter: binder{w.mounter, w.binds}}
}

func use(mode csipb.VolumeCapability_AccessMode_Mode, flags ...string) *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{MountFlags: flags}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: mode},
	}
}

func many() *csipb.VolumeCapability {
	return use(csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER)
}

func attributes(more ...string) map[string]string {
	a := map[string]string{"clusterID": "rook-ceph", "fsName": "myfs", "subvolumePath": "/volumes/csi/v/u", "mounter": "fuse", "fuseMountOptions": "debug"}
	for i := 0; i < len(more); i += 2 {
		a[more[i]] = more[i+1]
	}
	return a
}

func (w *world) staging() string { return filepath.Join(w.dir, "staging") }

func (w *world) stage(capability *csipb.VolumeCapability, context map[string]string) error {
	return w.stageAs(map[string]string{"userID": "csi-cephfs-node", "userKey": "fromSecret"}, capability, context)
}

func (w *world) stageAs(secrets map[string]string, capability *csipb.VolumeCapability, context map[string]string) error {
	_, err := w.server.NodeStageVolume(w.t.Context(), &csipb.NodeStageVolumeRequest{
		VolumeId: handle, StagingTargetPath: w.staging(), VolumeCapability: capability, VolumeContext: context, Secrets: secrets,
	})
	return err
}

func (w *world) unstage() error {
	_, err := w.server.NodeUnstageVolume(w.t.Context(), &csipb.NodeUnstageVolumeRequest{VolumeId: handle, StagingTargetPath: w.staging()})
	return err
}

func (w *world) publish(name string, capability *csipb.VolumeCapability, context map[string]string) error {
	_, err := w.server.NodePublishVolume(w.t.Context(), &csipb.NodePublishVolumeRequest{
		VolumeId: handle, StagingTargetPath: w.staging(), TargetPath: filepath.Join(w.dir, name), VolumeCapability: capability, VolumeContext: context,
	})
	return err
}

// binder remembers bind mounts, which FakeMounter gives the source of their
// source.
type binder struct {
	*mount.FakeMounter
	bound map[string][]string
}

func (b binder) Mount(source, target, kind string, options []string) error {
	b.bound[filepath.Base(target)] = append([]string{source}, options...)
	return b.FakeMounter.Mount(source, target, kind, options)
}

func TestStage_mounts_what_the_attributes_say(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stage(use(csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER, "noatime"), attributes()); err != nil {
		t.Fatal(err)
	}
	want := fsmount.Mount{Mounter: "fuse", Volume: fsmount.Volume{
		ID: handle, Where: w.staging(), FSName: "myfs", Path: "/volumes/csi/v/u", Flags: []string{"noatime"}, FUSEOptions: "debug"}}
	if diff := cmp.Diff(want, w.made[handle]); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if w.access[0].Key.Secret != "fromSecret" || w.access[0].Key.Entity != "client.csi-cephfs-node" {
		t.Errorf("mounted as %s", w.access[0].Key.Entity)
	}
	if err := w.stage(many(), attributes()); err != nil || len(w.access) != 1 {
		t.Errorf("again: %v, %d mounts", err, len(w.access))
	}
}

func TestStage_takes_options_of_the_cluster_before_those_of_the_volume(t *testing.T) {
	t.Parallel()
	static := attributes("staticVolume", "true", "rootPath", "/data", "kernelMountOptions", "rasize=2")
	for name, context := range map[string]map[string]string{"dynamic": attributes("kernelMountOptions", "rasize=2"), "static": static} {
		w := start(t)
		w.options = api.CSICephFSSpec{KernelMountOptions: "rasize=1,ms_mode=crc", FuseMountOptions: "noatime"}
		if err := w.stage(many(), context); err != nil {
			t.Fatal(err)
		}
		if made := w.made[handle]; made.KernelOptions != "rasize=1,ms_mode=crc,rasize=2" || made.FUSEOptions != "noatime,debug" {
			t.Errorf("%s: kernel %q, fuse %q", name, made.KernelOptions, made.FUSEOptions)
		}
		// What was mounted stays as it was, also when it is mounted anew.
		before := w.made[handle]
		w.options, w.dead = api.CSICephFSSpec{}, true
		if err := w.publish("pod", many(), context); err != nil || len(w.access) != 2 {
			t.Fatalf("%d mounts, %v", len(w.access), err)
		}
		if diff := cmp.Diff(before, w.made[handle]); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

func TestStage_refuses_options_that_are_not_the_user_s(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		of      api.CSICephFSSpec
		flags   []string
		context map[string]string
		code    codes.Code
		word    string
	}{
		"of_the_cluster_for_the_kernel": {of: api.CSICephFSSpec{KernelMountOptions: "name=admin"}, code: codes.FailedPrecondition, word: "`spec.csi.cephfs`"},
		"of_the_cluster_for_FUSE":       {of: api.CSICephFSSpec{FuseMountOptions: "a\nb"}, code: codes.FailedPrecondition, word: "`spec.csi.cephfs`"},
		"of_the_class_for_the_kernel":   {context: attributes("kernelMountOptions", "secretfile=/etc/x"), code: codes.InvalidArgument, word: "`secretfile`"},
		"of_the_class_for_FUSE":         {context: attributes("fuseMountOptions", "id=admin"), code: codes.InvalidArgument, word: "`id`"},
		"of_the_volume":                 {flags: []string{"noatime", "mds_namespace=other"}, code: codes.InvalidArgument, word: "`mds_namespace`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.options = tc.of
			context := tc.context
			if context == nil {
				context = attributes()
			}
			err := w.stage(use(csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER, tc.flags...), context)
			if status.Code(err) != tc.code || !strings.Contains(err.Error(), tc.word) || len(w.made) > 0 {
				t.Errorf("got %v, made %v", err, w.made)
			}
		})
	}
}

func TestStage_can_be_repeated_for_what_is_read_only(t *testing.T) {
	t.Parallel()
	ours := attributes("backingSnapshotRoot", ".snap/s/u")
	for name, tc := range map[string]struct {
		capability *csipb.VolumeCapability
		context    map[string]string
	}{
		"by_access_mode":  {readers(), attributes()},
		"by_mount_option": {use(csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER, "ro"), attributes()},
		"by_nature":       {many(), ours},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			for range 2 {
				if err := w.stage(tc.capability, tc.context); err != nil || !w.made[handle].ReadOnly || len(w.access) != 1 {
					t.Errorf("got %v, %d mounts, made %v", err, len(w.access), w.made)
				}
			}
			if err := w.stage(many(), attributes()); name != "by_nature" && status.Code(err) != codes.AlreadyExists {
				t.Errorf("for writing: want AlreadyExists, got %v", err)
			}
		})
	}
}

func TestStage_without_a_Secret_mounts_as_what_the_cluster_has_for_nodes(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stageAs(nil, many(), attributes()); err != nil || w.access[0].Key.Secret != "fromCluster" {
		t.Errorf("got %v, mounted with %v", err, w.access)
	}
	broken := start(t)
	err := broken.stageAs(map[string]string{"userID": "csi-cephfs-node"}, many(), attributes())
	if status.Code(err) != codes.InvalidArgument || len(broken.made) > 0 {
		t.Errorf("a Secret without a key: %v, made %v", err, broken.made)
	}
}

func TestStage_refuses(t *testing.T) {
	t.Parallel()
	block := &csipb.VolumeCapability{AccessType: &csipb.VolumeCapability_Block{Block: &csipb.VolumeCapability_BlockVolume{}}}
	for name, tc := range map[string]struct {
		capability *csipb.VolumeCapability
		context    map[string]string
	}{
		"no_capability":                {nil, attributes()},
		"raw_block":                    {block, attributes()},
		"an_unknown_access_mode":       {use(csipb.VolumeCapability_AccessMode_UNKNOWN), attributes()},
		"a_static_volume_without_path": {many(), attributes("staticVolume", "true")},
		"a_static_volume_of_nowhere":   {many(), map[string]string{"staticVolume": "true", "rootPath": "/", "fsName": "myfs"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			if err := w.stage(tc.capability, tc.context); status.Code(err) != codes.InvalidArgument || len(w.made) > 0 {
				t.Errorf("got %v, made %v", err, w.made)
			}
		})
	}
}

func TestStage_mounts_the_root_of_a_static_volume(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stage(many(), attributes("staticVolume", "true", "rootPath", "/data")); err != nil || w.made[handle].Path != "/data" {
		t.Errorf("got %v, %v", w.made, err)
	}
}

func TestStage_that_fails_leaves_nothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.fail = errors.New("mount error 110")
	if err := w.stage(many(), attributes()); status.Code(err) != codes.Internal || len(w.made) > 0 || len(w.mounter.MountPoints) > 0 {
		t.Errorf("got %v, made %v, mounts %v", err, w.made, w.mounter.MountPoints)
	}
	w.fail = fsmount.ErrNoMounter
	if err := w.stage(many(), attributes()); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("without a mounter: %v", err)
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.publish("pod", many(), attributes()); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("before it is staged: %v", err)
	}
	if err := w.stage(many(), attributes()); err != nil {
		t.Fatal(err)
	}
	readers := use(csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY, "noatime", "recover_session=clean")
	err := errors.Join(w.publish("writer", many(), attributes()), w.publish("writer", many(), attributes()),
		w.publish("reader", readers, attributes()))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"writer": {w.staging(), "bind"}, "reader": {w.staging(), "bind", "ro", "noatime"}}
	if diff := cmp.Diff(want, w.binds); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	single := use(csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER)
	if err := w.publish("second", single, attributes()); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("second pod of ReadWriteOncePod: %v", err)
	}
}

func TestPublish_shows_only_the_snapshot_of_a_shallow_volume(t *testing.T) {
	t.Parallel()
	w := start(t)
	ours := attributes("backingSnapshotRoot", ".snap/s/u")
	if err := errors.Join(w.stage(readers(), ours), w.publish("pod", readers(), ours)); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"pod": {filepath.Join(w.staging(), ".snap/s/u"), "bind", "ro"}}
	if diff := cmp.Diff(want, w.binds); diff != "" || !w.made[handle].ReadOnly {
		t.Errorf("want -, got +:\n%s", diff)
	}
	// A record of old does not tell.
	made := w.made[handle]
	made.Root = ""
	w.made[handle] = made
	if err := w.publish("other", readers(), ours); err != nil || w.binds["other"][0] != want["pod"][0] {
		t.Errorf("with a record of old: %v, %v", err, w.binds["other"])
	}
}

func TestPublish_shows_nothing_that_a_snapshot_s_path_leads_out_to(t *testing.T) {
	t.Parallel()
	w := start(t)
	escaping := attributes("backingSnapshotRoot", "../../../etc")
	if err := errors.Join(w.stage(readers(), escaping), w.publish("escape", readers(), escaping)); err != nil {
		t.Fatal(err)
	}
	if got := w.binds["escape"][0]; got != filepath.Join(w.staging(), "etc") {
		t.Errorf("got %s", got)
	}
}

func TestPublish_mounts_anew_what_died(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stage(many(), attributes()); err != nil {
		t.Fatal(err)
	}
	// A restarted node-agent has not seen the Secret.
	w.restart()
	before := w.made[handle]
	w.dead = true
	if err := w.publish("pod", many(), attributes()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.made[handle]); diff != "" || len(w.access) != 2 || w.access[1].Key.Secret != "fromCluster" {
		t.Errorf("%d mounts, want -, got +:\n%s", len(w.access), diff)
	}
}

func TestPublish_mounts_anew_after_a_mount_that_failed(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stage(many(), attributes()); err != nil {
		t.Fatal(err)
	}
	w.dead, w.fail = true, errors.New("mount error 110")
	for range 2 {
		if err := w.publish("pod", many(), attributes()); status.Code(err) != codes.Internal || len(w.mounter.MountPoints) > 0 {
			t.Errorf("while Ceph is away: got %v, mounts %v", err, w.mounter.MountPoints)
		}
		w.restart()
	}
	w.fail = nil
	if err := w.publish("pod", many(), attributes()); err != nil || len(w.access) != 2 {
		t.Errorf("when Ceph is back: got %v, %d mounts", err, len(w.access))
	}
}

func TestUnstage_forgets_a_volume_that_could_not_be_mounted_anew(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stage(many(), attributes()); err != nil {
		t.Fatal(err)
	}
	w.dead, w.fail = true, errors.New("mount error 110")
	if err := w.publish("pod", many(), attributes()); status.Code(err) != codes.Internal {
		t.Fatalf("got %v", err)
	}
	if err := w.unstage(); err != nil || len(w.made) > 0 {
		t.Errorf("got %v, made %v", err, w.made)
	}
}

func TestUnstage_can_be_repeated(t *testing.T) {
	t.Parallel()
	w := start(t)
	if err := w.stage(many(), attributes()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.unstage(); err != nil || len(w.made) > 0 || len(w.mounter.MountPoints) > 0 {
			t.Errorf("got %v, made %v, mounts %v", err, w.made, w.mounter.MountPoints)
		}
	}
}

func TestStats_of_a_dead_mount_are_a_condition(t *testing.T) {
	t.Parallel()
	w := start(t)
	ask := func() (*csipb.NodeGetVolumeStatsResponse, error) {
		return w.server.NodeGetVolumeStats(t.Context(), &csipb.NodeGetVolumeStatsRequest{VolumeId: handle, VolumePath: w.staging()})
	}
	if _, err := ask(); status.Code(err) != codes.NotFound {
		t.Errorf("before it is staged: %v", err)
	}
	if err := w.stage(many(), attributes()); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(); err != nil || got.GetVolumeCondition().GetAbnormal() || len(got.GetUsage()) != 2 {
		t.Errorf("alive: %v, %v", got, err)
	}
	w.dead = true
	if got, err := ask(); err != nil || !got.GetVolumeCondition().GetAbnormal() {
		t.Errorf("dead: %v, %v", got, err)
	}
}
