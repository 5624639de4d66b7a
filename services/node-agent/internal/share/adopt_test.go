package share_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// stagedBefore mounts something at the staging path that no record tells of.
func (w *world) stagedBefore(kinds ...string) {
	w.t.Helper()
	if err := os.MkdirAll(w.staging(), 0o750); err != nil {
		w.t.Fatal(err)
	}
	for _, kind := range kinds {
		if err := w.mounter.Mount("10.0.0.1:6789:/volumes/csi/v/u", w.staging(), kind, nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestPublish_shows_what_ceph_csi_staged(t *testing.T) {
	t.Parallel()
	// A snapshot is mounted over its parent.
	shallow := attributes("backingSnapshotRoot", ".snap/s/u")
	for name, tc := range map[string]struct {
		kinds   []string
		context map[string]string
	}{
		"by_the_kernel":   {[]string{"ceph"}, attributes()},
		"by_ceph-fuse":    {[]string{"fuse.ceph-fuse"}, attributes()},
		"of_one_snapshot": {[]string{"ceph", "ceph"}, shallow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.stagedBefore(tc.kinds...)
			if err := errors.Join(w.publish("writer", many(), tc.context), w.publish("reader", readers(), tc.context)); err != nil {
				t.Fatal(err)
			}
			want := map[string][]string{"writer": {w.staging(), "bind"}, "reader": {w.staging(), "bind", "ro"}}
			if diff := cmp.Diff(want, w.binds); diff != "" || len(w.made) > 0 || len(w.access) > 0 {
				t.Errorf("made %v, want -, got +:\n%s", w.made, diff)
			}
			got, err := w.server.NodeGetVolumeStats(t.Context(), &csipb.NodeGetVolumeStatsRequest{VolumeId: handle, VolumePath: w.staging()})
			if err != nil || got.GetVolumeCondition().GetAbnormal() || len(got.GetUsage()) != 2 {
				t.Errorf("stats: %v, %v", got, err)
			}
			if err := w.unstage(); err != nil {
				t.Errorf("unstage: %v", err)
			}
		})
	}
}

func TestPublish_shows_nothing_that_ceph_csi_did_not_stage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kinds   []string
		dead    error
		context map[string]string
	}{
		"a_plain_directory":         {},
		"another_file_system":       {kinds: []string{"ext4"}},
		"what_is_mounted_over":      {kinds: []string{"ceph", "tmpfs"}},
		"a_parent_alone":            {kinds: []string{"ceph"}, context: attributes("backingSnapshot", "true")},
		"a_parent_of_an_old_volume": {kinds: []string{"ceph"}, context: attributes("subvolumePath", "/volumes/csi/v")},
		"a_client_that_ended":       {kinds: []string{"fuse.ceph-fuse"}, dead: syscall.ENOTCONN},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.stagedBefore(tc.kinds...)
			context := tc.context
			if context == nil {
				context = attributes()
			}
			if tc.dead != nil {
				w.mounter.MountCheckErrors = map[string]error{w.staging(): tc.dead}
			}
			if err := w.publish("pod", many(), context); status.Code(err) != codes.FailedPrecondition || len(w.binds) > 0 {
				t.Errorf("got %v, bound %v", err, w.binds)
			}
		})
	}
}

func TestStage_mounts_over_what_ceph_csi_staged(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.stagedBefore("fuse.ceph-fuse") // which ends with the pod that it is in
	if err := w.stage(many(), attributes()); err != nil || len(w.made) != 1 {
		t.Errorf("got %v, made %v", err, w.made)
	}
}
