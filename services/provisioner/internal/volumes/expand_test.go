package volumes_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/volumes"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage/storagetest"
)

// made is a volume of 1 GiB.
type made struct {
	*storagetest.Cluster
	c             *volumes.Controller
	handle, image string
}

func makeVolume(t *testing.T, edit ...func(*csipb.CreateVolumeRequest)) made {
	t.Helper()
	cluster, c := start(t)
	response, err := c.CreateVolume(t.Context(), create(edit...))
	if err != nil {
		t.Fatal(err)
	}
	return made{cluster, c, response.GetVolume().GetVolumeId(), response.GetVolume().GetVolumeContext()["imageName"]}
}

func (m made) expand(ctx context.Context, limits *csipb.CapacityRange) (*csipb.ControllerExpandVolumeResponse, error) {
	return m.c.ControllerExpandVolume(ctx, &csipb.ControllerExpandVolumeRequest{VolumeId: m.handle, CapacityRange: limits, Secrets: secrets()})
}

func bytes(required int64) *csipb.CapacityRange { return &csipb.CapacityRange{RequiredBytes: required} }

func TestExpand_grows_in_whole_MiB_and_never_shrinks(t *testing.T) {
	t.Parallel()
	m := makeVolume(t)
	for _, step := range []struct{ required, want int64 }{
		{3<<30 - 1, 3 << 30},
		{3 << 30, 3 << 30},
		{2 << 30, 3 << 30}, // an earlier order that comes late
	} {
		response, err := m.expand(t.Context(), bytes(step.required))
		if err != nil {
			t.Fatal(err)
		}
		if response.GetCapacityBytes() != step.want || !response.GetNodeExpansionRequired() {
			t.Errorf("asked for %d: %v", step.required, response)
		}
		if got := m.ImageSize(pool, m.image); got != uint64(step.want) {
			t.Errorf("asked for %d: the image has %d", step.required, got)
		}
	}
	grown := slices.DeleteFunc(m.Calls(), func(call string) bool { return call != "GrowImage" })
	if len(grown) != 1 {
		t.Errorf("grew %d times", len(grown))
	}
}

func TestExpand_refuses_and_changes_nothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edit   func(*made)
		limits *csipb.CapacityRange
		code   codes.Code
		word   string
	}{
		"no_volume":        {func(m *made) { m.handle = "" }, bytes(2 << 30), codes.InvalidArgument, "volume_id"},
		"no_size":          {func(*made) {}, nil, codes.InvalidArgument, "capacity_range"},
		"a_foreign_handle": {func(m *made) { m.handle = "what" }, bytes(2 << 30), codes.NotFound, "what"},
		"an_unknown_pool": {func(m *made) {
			m.handle = strings.Replace(m.handle, "0000000000000001", "0000000000000063", 1)
		}, bytes(2 << 30), codes.NotFound, "99"},
		"an_unknown_volume": {func(m *made) {
			m.handle = m.handle[:len(m.handle)-12] + "ffffffffffff"
		}, bytes(2 << 30), codes.NotFound, "ffffffffffff"},
		"an_image_that_the_journal_does_not_name": {func(m *made) {
			m.record("csi.imageid", "ffffffffffff")
		}, bytes(2 << 30), codes.Internal, "ffffffffffff"},
		"more_than_the_quota_of_the_pool": {func(m *made) {
			m.SetQuota(pool, 2<<30-1)
		}, bytes(2 << 30), codes.OutOfRange, "pool replicapool has a quota of 2147483647; ask for less or raise the quota"},
		"a_limit_below_the_size": {func(*made) {}, &csipb.CapacityRange{LimitBytes: 1 << 20}, codes.OutOfRange, "limit_bytes"},
		"a_limit_within_a_MiB": {func(*made) {}, &csipb.CapacityRange{RequiredBytes: 2<<30 + 1, LimitBytes: 2<<30 + 2},
			codes.OutOfRange, "MiB"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := makeVolume(t)
			image := m.image
			tc.edit(&m)
			_, err := m.expand(t.Context(), tc.limits)
			if status.Code(err) != tc.code || !strings.Contains(status.Convert(err).Message(), tc.word) {
				t.Errorf("want %s with %q, got %v", tc.code, tc.word, err)
			}
			if got := m.ImageSize(pool, image); got != 1<<30 {
				t.Errorf("the image has %d", got)
			}
		})
	}
}

// record changes the journal entry of the volume.
func (m made) record(key, value string) {
	entry := "csi.volume." + strings.TrimPrefix(m.image, "csi-vol-")
	values := m.Objects(pool)[entry]
	values[key] = value
	m.PutObject(pool, entry, values)
}

func TestExpand_asks_for_the_quota_of_the_pool_that_holds_the_data(t *testing.T) {
	t.Parallel()
	m := makeVolume(t, with("dataPool", "ec-data"))
	m.SetQuota(pool, 1<<20)
	if _, err := m.expand(t.Context(), bytes(2<<30)); err != nil {
		t.Errorf("a quota of the pool of metadata: %v", err)
	}
	m.SetQuota("ec-data", 2<<30)
	if _, err := m.expand(t.Context(), bytes(3<<30)); status.Code(err) != codes.OutOfRange {
		t.Errorf("want OutOfRange, got %v", err)
	}
}

func TestExpand_comes_again_while_a_node_reads_the_size(t *testing.T) {
	t.Parallel()
	m := makeVolume(t)
	opened, err := m.Cluster.Pool(t.Context(), pool, "")
	if err != nil {
		t.Fatal(err)
	}
	entry := "csi.volume." + strings.TrimPrefix(m.image, "csi-vol-")
	if err := opened.Lock(t.Context(), entry, "rook.claim", "a node", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := m.expand(t.Context(), bytes(2<<30)); status.Code(err) != codes.Aborted {
		t.Errorf("want Aborted, got %v", err)
	}
	if err := opened.Unlock(t.Context(), entry, "rook.claim", "a node"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.expand(t.Context(), bytes(2<<30)); err != nil {
		t.Error(err)
	}
}

func TestExpand_survives_a_fault_at_every_call(t *testing.T) {
	t.Parallel()
	whole := makeVolume(t)
	before := len(whole.Calls())
	if _, err := whole.expand(t.Context(), bytes(2<<30)); err != nil {
		t.Fatal(err)
	}
	calls := len(whole.Calls()) - before
	for _, moment := range []storagetest.Moment{storagetest.Before, storagetest.After} {
		for n := range calls {
			m := makeVolume(t)
			m.FailAt(n, moment)
			if _, err := m.expand(t.Context(), bytes(2<<30)); err == nil {
				t.Errorf("fault %d at call %d was not told", moment, n)
			}
			m.ExpireLocks()
			response, err := m.expand(t.Context(), bytes(2<<30))
			if err != nil || response.GetCapacityBytes() != 2<<30 || m.ImageSize(pool, m.image) != 2<<30 {
				t.Errorf("fault %d at call %d: then %v, %v", moment, n, response, err)
			}
		}
	}
}
