package filesystem_test

import (
	"errors"
	"testing"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/filesystem"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	blank := filesystem.Contents{Report: probe.Report{UnknownAt: -1}}
	unknown := filesystem.Contents{Report: probe.Report{UnknownAt: 512}}
	with := func(kind probe.Kind, typ string) filesystem.Contents {
		return filesystem.Contents{Report: probe.Report{UnknownAt: -1, Signatures: []probe.Signature{{Type: typ, Kind: kind}}}}
	}
	halfXFS := with(probe.Filesystem, "xfs")
	halfXFS.Unfinished = "xfs"
	halfAndMore := halfXFS
	halfAndMore.Signatures = append(halfAndMore.Signatures[:1:1], probe.Signature{Type: "gpt", Kind: probe.PartitionTable})
	never := journal.Format{}
	begun := journal.Format{State: journal.Formatting, Type: "ext4"}
	made := journal.Format{State: journal.Formatted, Type: "ext4"}
	cases := map[string]struct {
		recorded journal.Format
		found    filesystem.Contents
		wanted   string
		action   filesystem.Action
		kind     string
		err      error
	}{
		"makes_one_on_a_blank_new_volume":               {never, blank, "ext4", filesystem.Make, "ext4", nil},
		"makes_xfs_when_asked":                          {never, blank, "xfs", filesystem.Make, "xfs", nil},
		"mounts_what_another_driver_made":               {never, with(probe.Filesystem, "xfs"), "ext4", filesystem.Mount, "xfs", nil},
		"mounts_an_old_ext3":                            {never, with(probe.Filesystem, "ext3"), "ext4", filesystem.Mount, "ext3", nil},
		"mounts_what_it_made":                           {made, with(probe.Filesystem, "ext4"), "ext4", filesystem.Mount, "ext4", nil},
		"mounts_what_mkfs_finished_unrecorded":          {begun, with(probe.Filesystem, "ext4"), "ext4", filesystem.Mount, "ext4", nil},
		"mounts_a_finished_file_system_of_another_type": {begun, with(probe.Filesystem, "xfs"), "ext4", filesystem.Mount, "xfs", nil},
		"starts_again_when_mkfs_wrote_nothing":          {begun, blank, "ext4", filesystem.Make, "ext4", nil},
		"starts_again_when_mkfs_wrote_no_superblock":    {begun, unknown, "ext4", filesystem.Make, "ext4", nil},
		"starts_again_over_an_unfinished_xfs":           {begun, halfXFS, "xfs", filesystem.Make, "xfs", nil},
		"never_formats_over_what_mkfs_does_not_leave":   {begun, with(probe.Encrypted, "crypto_LUKS"), "ext4", filesystem.Mount, "", filesystem.ErrForeignData},
		"never_formats_over_what_lies_beside_a_half":    {begun, halfAndMore, "xfs", filesystem.Mount, "", filesystem.ErrForeignData},
		"never_mounts_a_file_system_half_made":          {never, halfXFS, "xfs", filesystem.Mount, "", filesystem.ErrForeignData},
		"never_formats_a_volume_that_lost_its_data":     {made, blank, "ext4", filesystem.Mount, "", filesystem.ErrDataMissing},
		"never_formats_over_a_partition_table":          {never, with(probe.PartitionTable, "gpt"), "ext4", filesystem.Mount, "", filesystem.ErrForeignData},
		"never_formats_over_an_encrypted_volume":        {never, with(probe.Encrypted, "crypto_LUKS"), "ext4", filesystem.Mount, "", filesystem.ErrForeignData},
		"never_formats_over_data_that_it_cannot_name":   {never, unknown, "ext4", filesystem.Mount, "", filesystem.ErrForeignData},
		"refuses_a_file_system_that_it_cannot_make":     {never, blank, "zfs", filesystem.Make, "zfs", filesystem.ErrUnsupported},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			action, kind, err := filesystem.Decide(tc.recorded, tc.found, tc.wanted)
			if !errors.Is(err, tc.err) || action != tc.action || kind != tc.kind {
				t.Errorf("want %v %q %v; got %v %q %v", tc.action, tc.kind, tc.err, action, kind, err)
			}
		})
	}
}
