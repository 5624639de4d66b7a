package probe_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

// verdicts names, for every image of the corpus, the formats that must be
// recognised on it. An image without any is blank.
var verdicts = map[string][]string{
	"adaptec":                     {"adaptec_raid_member"},
	"amiga":                       {"amiga"},
	"apfs":                        {"apfs"},
	"atari":                       {"atari"},
	"atari-in-noise":              {"atari"},
	"atari-phantom":               {"atari"},
	"bcache-backing":              {"bcache"},
	"bcache-cache":                {"bcache"},
	"bcachefs":                    {"bcachefs"},
	"bitlocker":                   {"BitLocker", "boot-sector"},
	"blank":                       nil,
	"boot-sector":                 {"boot-sector"},
	"bsd":                         {"bsd"},
	"btrfs":                       {"btrfs"},
	"btrfs-mirror-only":           {"btrfs"},
	"cramfs":                      {"cramfs"},
	"ddf":                         {"ddf_raid_member"},
	"ddf-257":                     {"ddf_raid_member"},
	"dm-integrity":                {"DM_integrity"},
	"dm-snapshot":                 {"DM_snapshot_cow"},
	"dm-verity":                   {"DM_verity_hash"},
	"dos":                         {"dos"},
	"dos-empty":                   {"boot-sector"},
	"drbd8":                       {"drbd"},
	"drbd9":                       {"drbd"},
	"erofs":                       {"erofs"},
	"exfat":                       {"boot-sector", "exfat"},
	"ext2":                        {"ext2"},
	"ext3":                        {"ext3"},
	"ext4":                        {"ext4"},
	"ext4-journal":                {"jbd"},
	"f2fs":                        {"f2fs"},
	"f2fs-second-superblock-only": {"f2fs"},
	"fat12":                       {"boot-sector", "vfat"},
	"fat16":                       {"boot-sector", "vfat"},
	"fat32":                       {"boot-sector", "vfat"},
	"gfs2":                        {"gfs2"},
	"gpt":                         {"PMBR", "gpt"},
	"gpt-4k-sectors":              {"PMBR", "gpt"},
	"gpt-4k-sectors-backup-only":  {"gpt"},
	"gpt-backup-only":             {"gpt"},
	"gpt-empty":                   {"PMBR", "gpt"},
	"gpt-no-protective-mbr":       {"gpt"},
	"hfsplus":                     {"hfsplus"},
	"hpt37x":                      {"hpt37x_raid_member"},
	"hpt45x":                      {"hpt45x_raid_member"},
	"imsm":                        {"isw_raid_member"},
	"iso9660":                     {"iso9660"},
	"jfs":                         {"jfs"},
	"jmicron":                     {"jmicron_raid_member"},
	"ldm":                         {"ldm"},
	"ldm-backup-only":             {"ldm"},
	"lsi-mega":                    {"lsi_mega_raid_member"},
	"luks1":                       {"crypto_LUKS"},
	"luks2":                       {"crypto_LUKS"},
	"luks2-second-header-only":    {"crypto_LUKS"},
	"lvm2":                        {"LVM2_member"},
	"lvm2-sector0":                {"LVM2_member"},
	"lvm2-sector2":                {"LVM2_member"},
	"lvm2-sector3":                {"LVM2_member"},
	"mac":                         {"mac"},
	"md-0.90":                     {"linux_raid_member"},
	"md-0.90-big-endian":          {"linux_raid_member"},
	"md-1.0":                      {"linux_raid_member"},
	"md-1.1":                      {"linux_raid_member"},
	"md-1.2":                      {"linux_raid_member"},
	"minix":                       {"minix"},
	"minix3":                      {"minix"},
	"nilfs2":                      {"nilfs2"},
	"nilfs2-backup-only":          {"nilfs2"},
	"noise-at-start":              {"unknown"},
	"noise-only-later":            nil,
	"ntfs":                        {"boot-sector", "ntfs"},
	"nvidia":                      {"nvidia_raid_member"},
	"ocfs2":                       {"ocfs2"},
	"oracle-asm":                  {"oracleasm"},
	"osd-db-device":               {"ceph_bluestore"},
	"osd-label-cut":               {"ceph_bluestore"},
	"osd-label-damaged-and-atari": {"atari", "ceph_bluestore"},
	"osd-label-flipped-bit":       {"ceph_bluestore"},
	"osd-label-only-at-1g":        {"ceph_bluestore"},
	"osd-label-only-at-10g":       {"ceph_bluestore"},
	"osd-label-only-at-100g":      {"ceph_bluestore"},
	"osd-label-only-at-1000g":     {"ceph_bluestore"},
	"osd-label-text-only":         {"ceph_bluestore"},
	"osd-reef":                    {"atari", "ceph_bluestore"}, // a real label that the kernel takes for an Atari table
	"osd-tentacle":                {"ceph_bluestore"},
	"osd-with-db":                 {"ceph_bluestore"},
	"promise":                     {"promise_fasttrack_raid_member"},
	"refs":                        {"ReFS"},
	"reiserfs":                    {"reiserfs"},
	"sgi":                         {"sgi"},
	"silicon":                     {"silicon_medley_raid_member"},
	"squashfs":                    {"squashfs"},
	"stratis":                     {"stratis"},
	"sun":                         {"sun"},
	"swap":                        {"swap"},
	"swap-64k-pages":              {"swap"},
	"swsuspend":                   {"swsuspend"},
	"udf":                         {"udf"},
	"udf-2048":                    {"udf"},
	"ufs2":                        {"ufs"},
	"vdo":                         {"vdo"},
	"via":                         {"via_raid_member"},
	"vmfs":                        {"VMFS"},
	"vmfs-volume":                 {"VMFS_volume_member"},
	"wiped-ext4":                  {"unknown"},
	"xfs":                         {"xfs"},
	"xfs-log":                     {"xfs_external_log"},
	"zfs":                         {"zfs_member"},
	"zfs-big-endian":              {"zfs_member"},
	"zfs-last-label":              {"zfs_member"},
}

func load(t testing.TB) map[string]*corpus.Image {
	t.Helper()
	images, err := corpus.Load("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func types(report probe.Report) []string {
	var found []string
	for _, signature := range report.Signatures {
		found = append(found, signature.Type)
	}
	if report.UnknownAt >= 0 {
		found = append(found, "unknown")
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestCorpusAndVerdictsNameTheSameImages(t *testing.T) {
	got := slices.Sorted(maps.Keys(load(t)))
	want := slices.Sorted(maps.Keys(verdicts))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if len(got) < 40 {
		t.Errorf("corpus has %d images, want at least 40", len(got))
	}
}

func TestScanRecognisesEveryImageOfTheCorpus(t *testing.T) {
	for name, image := range load(t) {
		t.Run(name, func(t *testing.T) {
			report, err := probe.Scan(image, image.Size)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(verdicts[name], types(report)); diff != "" {
				t.Errorf("formats (-want +got):\n%s", diff)
			}
			if blank := len(verdicts[name]) == 0; report.Blank() != blank {
				t.Errorf("Blank() = %v, want %v", report.Blank(), blank)
			}
		})
	}
}

// A file that may not be written is the strongest form of "read-only": the
// probe gets no other handle, and every byte is compared afterwards.
func TestScanLeavesEveryByteAsItWas(t *testing.T) {
	dir := t.TempDir()
	for name, image := range load(t) {
		if image.Size > 256<<20 {
			continue // comparing gigabytes of zeros says nothing
		}
		path := filepath.Join(dir, name)
		if err := image.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, scanErr := probe.Scan(file, image.Size)
		if err := errors.Join(scanErr, file.Close()); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, image.Size)
		if _, err := image.ReadAt(want, 0); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, content) {
			t.Errorf("%s: content changed", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// badSector fails every read that touches one chunk.
type badSector struct {
	io.ReaderAt
	at int64
}

var errMedium = errors.New("medium error")

func (b badSector) ReadAt(out []byte, offset int64) (int, error) {
	if offset <= b.at && b.at < offset+int64(len(out)) {
		return 0, errMedium
	}
	return b.ReaderAt.ReadAt(out, offset)
}

func TestScanNeverCallsAnUnreadableDeviceBlank(t *testing.T) {
	const size = 2000 << 30
	blank := &corpus.Image{Size: size}
	for _, at := range []int64{0, 4096, 70 << 10, 300 << 10, 1 << 20, 64 << 20, 1 << 30, 10 << 30, 100 << 30, 1000 << 30, size - 300<<10, size - 70<<10, size - 1} {
		if _, err := probe.Scan(badSector{blank, at}, size); !errors.Is(err, errMedium) {
			t.Errorf("Scan with a bad sector at %d: %v, want %v", at, err, errMedium)
		}
	}
}

// counting sums up what is read.
type counting struct {
	io.ReaderAt
	bytes int64
}

func (c *counting) ReadAt(out []byte, offset int64) (int, error) {
	c.bytes += int64(len(out))
	return c.ReaderAt.ReadAt(out, offset)
}

func TestScanReadsAFewMegabytesOfTheLargestDisk(t *testing.T) {
	device := &counting{ReaderAt: &corpus.Image{Size: 30000 << 30}}
	if _, err := probe.Scan(device, 30000<<30); err != nil {
		t.Fatal(err)
	}
	if device.bytes > 4<<20 {
		t.Errorf("read %d bytes, want at most 4 MiB", device.bytes)
	}
}

func TestScanRefusesADeviceThatIsTooSmallToTell(t *testing.T) {
	if _, err := probe.Scan(&corpus.Image{Size: 512}, 512); err == nil {
		t.Error("Scan of 512 bytes succeeded")
	}
}

func TestSignaturesReadWell(t *testing.T) {
	images := load(t)
	for name, want := range map[string]string{
		"ext4":           "ext4 filesystem (label ROOT) at offset 1080",
		"gpt":            "gpt partition table with 3 partitions at offset 512",
		"gpt-4k-sectors": "gpt partition table with 1 partition at offset 4096",
		"swap":           "swap at offset 4086",
		"lvm2":           "LVM2_member volume member at offset 512",
		"md-1.2":         "linux_raid_member RAID member at offset 4096",
		"osd-tentacle":   "BlueStore label at offset 0",
	} {
		report, err := probe.Scan(images[name], images[name].Size)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Signatures[0].String(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// FuzzProbe feeds arbitrary heads and tails. Whatever they hold, the probe must
// end without a panic, and a head with any byte set must never read as blank.
func FuzzProbe(f *testing.F) {
	images := load(f)
	for _, name := range []string{"gpt", "dos", "ext4", "lvm2", "luks2", "zfs", "osd-label-flipped-bit", "osd-reef", "atari-in-noise", "ddf"} {
		head, tail := make([]byte, 8<<10), make([]byte, 8<<10)
		if _, err := images[name].ReadAt(head, 0); err != nil {
			f.Fatal(err)
		}
		if _, err := images[name].ReadAt(tail, images[name].Size-int64(len(tail))); err != nil {
			f.Fatal(err)
		}
		f.Add(head, tail)
	}
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		const size = 32 << 20
		if len(head) > probe.BlankBytes || len(tail) > 1<<20 {
			return
		}
		image := &corpus.Image{Size: size}
		if _, err := image.WriteAt(tail, size-int64(len(tail))); err != nil {
			t.Fatal(err)
		}
		if _, err := image.WriteAt(head, 0); err != nil {
			t.Fatal(err)
		}
		report, err := probe.Scan(image, size)
		if err != nil {
			return
		}
		if used := len(bytes.Trim(head, "\x00")) > 0; used && report.Blank() {
			t.Errorf("a device with data at its start reads as blank")
		}
		for _, signature := range report.Signatures {
			if signature.Type == "" || signature.Kind == "" || signature.Offset < 0 || signature.Offset >= size {
				t.Errorf("signature out of bounds: %+v", signature)
			}
		}
	})
}
