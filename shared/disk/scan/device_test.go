package scan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

func TestLinksAreNamedAsOnTheHost(t *testing.T) {
	dev := t.TempDir()
	byID := filepath.Join(dev, "disk/by-id")
	if err := os.MkdirAll(byID, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"wwn-0x5000": "../../sda", "ata-disk": "../../sda", "raid": "../../cciss/c0d0", "absolute": "/dev/sdb", "astray": "/etc/passwd",
	} {
		if err := os.Symlink(target, filepath.Join(byID, link)); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]string{
		"sda":        {"/dev/disk/by-id/ata-disk", "/dev/disk/by-id/wwn-0x5000"},
		"sdb":        {"/dev/disk/by-id/absolute"},
		"cciss!c0d0": {"/dev/disk/by-id/raid"},
	}
	if diff := cmp.Diff(want, scan.DevDir(dev).Links()); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}
