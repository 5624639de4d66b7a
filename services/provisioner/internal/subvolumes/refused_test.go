package subvolumes_test

import (
	"slices"
	"strings"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func limited(bytes int64) func(*csipb.CreateVolumeRequest) {
	return func(r *csipb.CreateVolumeRequest) {
		r.CapacityRange = &csipb.CapacityRange{RequiredBytes: bytes, LimitBytes: bytes}
	}
}

// snapshots are those of the subvolume of a volume.
func (w world) snapshots(t *testing.T, volume *csipb.Volume) []string {
	t.Helper()
	list, err := w.ceph.Client().SnapshotList(t.Context(), at(volume.GetVolumeContext()["subvolumeName"]))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCreateVolume_that_fails_for_good_leaves_nothing_of_a_copy(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edit func(source *csipb.Volume, snapshot *csipb.Snapshot) []func(*csipb.CreateVolumeRequest)
		fail func(world)
		code codes.Code
		// begun tells that Ceph had to be asked to copy to find out.
		begun bool
	}{
		"a_copy_of_a_volume_beyond_the_limit": {
			edit: func(v *csipb.Volume, _ *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){fromVolume(v.GetVolumeId()), limited(size / 2)}
			}, code: codes.OutOfRange,
		},
		"a_copy_of_a_snapshot_beyond_the_limit": {
			edit: func(_ *csipb.Volume, s *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){fromSnapshot(s.GetSnapshotId()), limited(size / 2)}
			}, code: codes.OutOfRange, begun: true,
		},
		"a_shown_snapshot_beyond_the_limit": {
			edit: func(_ *csipb.Volume, s *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){readOnly, fromSnapshot(s.GetSnapshotId()), limited(size / 2)}
			}, code: codes.OutOfRange,
		},
		"a_pool_that_is_none_of_the_file_system's": {
			edit: func(v *csipb.Volume, _ *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){fromVolume(v.GetVolumeId()), with("pool", "nope")}
			}, code: codes.FailedPrecondition,
		},
		"a_group_that_is_not_there": {
			edit: func(v *csipb.Volume, _ *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){fromVolume(v.GetVolumeId()), with("subvolumeGroup", "nope")}
			}, code: codes.FailedPrecondition,
		},
		"a_copy_that_Ceph_refuses": {
			edit: func(v *csipb.Volume, _ *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){fromVolume(v.GetVolumeId())}
			}, fail: func(w world) { w.ceph.FailNext("fs subvolume snapshot clone", ceph.ErrInvalid) }, code: codes.FailedPrecondition, begun: true,
		},
		"a_source_that_Ceph_does_not_find": {
			edit: func(v *csipb.Volume, _ *csipb.Snapshot) []func(*csipb.CreateVolumeRequest) {
				return []func(*csipb.CreateVolumeRequest){fromVolume(v.GetVolumeId())}
			}, fail: func(w world) { w.ceph.FailNext("fs subvolume snapshot clone", ceph.ErrNotFound) }, code: codes.NotFound, begun: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			source := w.made(t)
			snapshot := w.snapshot(t, source, "snapshot-1")
			journal, snapshots, copies := w.journal(), w.snapshots(t, source), w.ceph.Sent("fs subvolume snapshot clone")
			if tc.fail != nil {
				tc.fail(w)
			}
			_, err := w.CreateVolume(t.Context(), create(append(tc.edit(source, snapshot), named("pvc-copy"))...))
			if status.Code(err) != tc.code {
				t.Errorf("want %s, got %v", tc.code, err)
			}
			if diff := cmp.Diff(journal, w.journal()); diff != "" {
				t.Errorf("journal: want -, got +:\n%s", diff)
			}
			if left := w.subvolumes(t); !slices.Equal(left, []string{source.GetVolumeContext()["subvolumeName"]}) {
				t.Errorf("subvolumes %v", left)
			}
			if left := w.snapshots(t, source); !slices.Equal(left, snapshots) {
				t.Errorf("snapshots %v", left)
			}
			if begun := w.ceph.Sent("fs subvolume snapshot clone") > copies; begun != tc.begun {
				t.Errorf("began a copy: %v", begun)
			}
		})
	}
}

func TestCreateVolume_comes_again_while_a_refused_copy_is_not_removed(t *testing.T) {
	t.Parallel()
	w := start(t)
	order := create(named("pvc-copy"), fromVolume(w.made(t).GetVolumeId()))
	w.ceph.FailNext("fs subvolume snapshot clone", ceph.ErrInvalid)
	w.ceph.FailNext("fs subvolume snapshot rm", ceph.ErrUnreachable)
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Internal {
		t.Fatalf("want Internal, got %v", err)
	}
	if _, err := w.CreateVolume(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

func TestCreateVolume_never_removes_a_copy_that_was_told_of(t *testing.T) {
	t.Parallel()
	w := start(t)
	snapshot := w.snapshot(t, w.made(t), "snapshot-1")
	copied := w.made(t, named("pvc-copy"), fromSnapshot(snapshot.GetSnapshotId()))
	_, err := w.CreateVolume(t.Context(), create(named("pvc-copy"), fromSnapshot(snapshot.GetSnapshotId()), limited(size/2)))
	if status.Code(err) != codes.OutOfRange {
		t.Errorf("want OutOfRange, got %v", err)
	}
	if info := w.info(t, copied); info.State != ceph.SubvolumeComplete || len(w.journal()["csi.volumes.default"]) != 2 {
		t.Errorf("it became %+v, %v", info, w.journal())
	}
}

func TestCreateVolume_goes_on_with_a_copy_whose_source_was_deleted(t *testing.T) {
	t.Parallel()
	w := start(t)
	source := w.made(t)
	order := create(named("pvc-copy"), fromVolume(source.GetVolumeId()))
	w.ceph.HoldClones()
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Aborted {
		t.Fatalf("want Aborted, got %v", err)
	}
	w.remove(t, source.GetVolumeId())
	w.ceph.EndClones(ceph.CloneComplete)
	response, err := w.CreateVolume(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if left := w.subvolumes(t); !slices.Equal(left, []string{response.GetVolume().GetVolumeContext()["subvolumeName"]}) {
		t.Errorf("left %v", left)
	}
}

func TestCreateVolume_copies_the_snapshot_that_it_took_of_a_source_that_is_gone(t *testing.T) {
	t.Parallel()
	w := start(t)
	source := w.made(t)
	order := create(named("pvc-copy"), fromVolume(source.GetVolumeId()))
	w.ceph.FailNext("fs subvolume snapshot clone", ceph.ErrUnreachable)
	if _, err := w.CreateVolume(t.Context(), order); status.Code(err) != codes.Unavailable {
		t.Fatalf("want Unavailable, got %v", err)
	}
	w.remove(t, source.GetVolumeId())
	response, err := w.CreateVolume(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if left := w.subvolumes(t); !slices.Equal(left, []string{response.GetVolume().GetVolumeContext()["subvolumeName"]}) {
		t.Errorf("left %v", left)
	}
}

func TestResumeVolume(t *testing.T) {
	t.Parallel()
	t.Run("knows_nothing_of_a_volume_that_was_not_begun", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		if _, err := w.ResumeVolume(t.Context(), create()); status.Code(err) != codes.NotFound || len(w.subvolumes(t)) > 0 {
			t.Errorf("want NotFound, got %v, made %v", err, w.subvolumes(t))
		}
	})
	t.Run("ends_a_copy_and_finds_it_again", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		source := w.made(t)
		w.ceph.HoldClones()
		if _, err := w.CreateVolume(t.Context(), create(named("pvc-copy"), fromVolume(source.GetVolumeId()))); status.Code(err) != codes.Aborted {
			t.Fatalf("want Aborted, got %v", err)
		}
		w.remove(t, source.GetVolumeId())
		w.ceph.EndClones(ceph.CloneComplete)
		for range 2 {
			response, err := w.ResumeVolume(t.Context(), create(named("pvc-copy")))
			if err != nil {
				t.Fatal(err)
			}
			if left := w.subvolumes(t); !slices.Equal(left, []string{response.GetVolume().GetVolumeContext()["subvolumeName"]}) {
				t.Errorf("left %v", left)
			}
		}
	})
	t.Run("finds_a_snapshot_that_is_shown", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		snapshot := w.snapshot(t, w.made(t), "snapshot-1")
		shallow := w.made(t, named("pvc-shallow"), readOnly, with("backingSnapshot", "true"), fromSnapshot(snapshot.GetSnapshotId()))
		response, err := w.ResumeVolume(t.Context(), create(named("pvc-shallow"), readOnly, with("backingSnapshot", "true")))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shallow.GetVolumeContext(), response.GetVolume().GetVolumeContext()); diff != "" || response.GetVolume().GetVolumeId() != shallow.GetVolumeId() {
			t.Errorf("want -, got +:\n%s", diff)
		}
	})
}

// TestCopyLife puts a fault at every call of copying a volume and deleting the
// copy and its source.
func TestCopyLife_survives_a_fault_at_every_call(t *testing.T) {
	t.Parallel()
	withEveryFault(t, func(w world) []func() error {
		source := w.made(t)
		var volume string
		return []func() error{
			func() error {
				response, err := w.CreateVolume(t.Context(), create(named("pvc-copy"), fromVolume(source.GetVolumeId())))
				volume = response.GetVolume().GetVolumeId()
				return err
			},
			func() error {
				_, err := w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: volume, Secrets: secrets()})
				return err
			},
			func() error {
				_, err := w.DeleteVolume(t.Context(), &csipb.DeleteVolumeRequest{VolumeId: source.GetVolumeId(), Secrets: secrets()})
				return err
			},
		}
	}, func(w world, fault string) {
		left := strings.Join(w.subvolumes(t), " ")
		if diff := cmp.Diff(map[string]map[string]string{"csi.volumes.default": {}}, w.journal()); diff != "" || left != "" {
			t.Errorf("%s left %s, journal: want -, got +:\n%s", fault, left, diff)
		}
	})
}

func TestCreateVolume_makes_nothing_new_in_a_file_system_that_is_being_deleted(t *testing.T) {
	t.Parallel()
	w := start(t)
	volume := w.made(t)
	snapshot := w.snapshot(t, volume, "snapshot-1").GetSnapshotId()
	before := w.journal()
	w.leaving["rook-ceph/"+fsName] = true
	for name, edit := range map[string]func(*csipb.CreateVolumeRequest){
		"empty":    func(*csipb.CreateVolumeRequest) {},
		"cloned":   fromVolume(volume.GetVolumeId()),
		"restored": fromSnapshot(snapshot),
		"shown":    func(r *csipb.CreateVolumeRequest) { readOnly(r); fromSnapshot(snapshot)(r) },
	} {
		_, err := w.CreateVolume(t.Context(), create(named("pvc-"+name), edit))
		if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "CephFilesystem myfs of cluster rook-ceph is being deleted") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if diff := cmp.Diff(before, w.journal()); diff != "" || len(w.snapshots(t, volume)) != 1 {
		t.Errorf("journal: want -, got +:\n%s", diff)
	}
	if again := w.made(t); again.GetVolumeId() != volume.GetVolumeId() {
		t.Errorf("what was made before is %v", again)
	}
}
