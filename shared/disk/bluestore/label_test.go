package bluestore_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
)

const (
	osdUUID = "11111111-2222-4333-8444-555555555555"
	fsid    = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

func images(t testing.TB) map[string]*corpus.Image {
	t.Helper()
	all, err := corpus.Load("../probe/testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReadFindsTheLabelsThatRealDaemonsWrote(t *testing.T) {
	const gib = 1 << 30
	for name, want := range map[string]struct {
		offsets     []int64
		description string
		fsid        string
		multi       bool
	}{
		"osd-reef":                {[]int64{0}, "main", fsid, false},
		"osd-tentacle":            {[]int64{0, gib, 10 * gib, 100 * gib, 1000 * gib}, "main", fsid, true},
		"osd-with-db":             {[]int64{0, gib}, "main", fsid, true},
		"osd-db-device":           {[]int64{0}, "bluefs db", "", false},
		"osd-label-only-at-1g":    {[]int64{gib}, "main", fsid, true},
		"osd-label-only-at-10g":   {[]int64{10 * gib}, "main", fsid, true},
		"osd-label-only-at-100g":  {[]int64{100 * gib}, "main", fsid, true},
		"osd-label-only-at-1000g": {[]int64{1000 * gib}, "main", fsid, true},
	} {
		t.Run(name, func(t *testing.T) {
			image := images(t)[name]
			found, err := bluestore.Read(image, image.Size)
			if err != nil {
				t.Fatal(err)
			}
			var offsets []int64
			for _, one := range found {
				offsets = append(offsets, one.Offset)
			}
			if diff := cmp.Diff(want.offsets, offsets); diff != "" {
				t.Errorf("offsets (-want +got):\n%s", diff)
			}
			best, ok := bluestore.Identity(found)
			if !ok {
				t.Fatal("no identity")
			}
			label := best.Label
			if label.OSDUUID != osdUUID || label.Description != want.description || label.FSID() != want.fsid || label.Multi() != want.multi {
				t.Errorf("label = %+v", label)
			}
			if id, ok := label.OSDID(); want.fsid != "" && (!ok || id != 7 || !label.Ready()) {
				t.Errorf("OSDID() = %d, %v; Ready() = %v; want 7, true, true", id, ok, label.Ready())
			}
			if label.Created.Before(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) || label.SizeBytes == 0 {
				t.Errorf("Created = %v, SizeBytes = %d", label.Created, label.SizeBytes)
			}
		})
	}
}

func TestReadNamesWhatIsWrongWithADamagedLabel(t *testing.T) {
	for name, want := range map[string]string{
		"osd-label-flipped-bit": "needs",
		"osd-label-cut":         "checksum",
		"osd-label-text-only":   "needs",
	} {
		image := images(t)[name]
		found, err := bluestore.Read(image, image.Size)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 || !errors.Is(found[0].Err, bluestore.ErrCorrupt) || !strings.Contains(found[0].Err.Error(), want) {
			t.Errorf("%s: found %+v, want one corrupt label naming %q", name, found, want)
		}
		if _, ok := bluestore.Identity(found); ok {
			t.Errorf("%s: a damaged label gave an identity", name)
		}
	}
}

// encode writes a label the way Ceph does.
func encode(uuid string, meta map[string]string) []byte {
	le := binary.LittleEndian
	text := func(out []byte, s string) []byte { return append(le.AppendUint32(out, uint32(len(s))), s...) }
	raw := []byte(strings.Repeat("\x11", 4) + "\x22\x22\x43\x33\x84\x44" + strings.Repeat("\x55", 6))
	body := append(raw, le.AppendUint64(nil, 1<<40)...)
	body = le.AppendUint32(le.AppendUint32(body, 1_600_000_000), 5)
	body = text(body, "main")
	body = le.AppendUint32(body, uint32(len(meta)))
	for key, value := range meta {
		body = text(text(body, key), value)
	}
	out := append([]byte(bluestore.Magic+uuid+"\n"), 2, 1)
	out = append(le.AppendUint32(out, uint32(len(body))), body...)
	return le.AppendUint32(out, ^crc32.Checksum(out, crc32.MakeTable(crc32.Castagnoli)))
}

func TestParseDropsSecrets(t *testing.T) {
	label, err := bluestore.Parse(encode(osdUUID, map[string]string{"osd_key": "AQD==", "whoami": "3"}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"whoami": "3"}, label.Meta); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
}

func TestParseRefusesATextThatContradictsTheStructure(t *testing.T) {
	other := strings.Replace(osdUUID, "1", "9", 1)
	if _, err := bluestore.Parse(encode(other, nil)); !errors.Is(err, bluestore.ErrCorrupt) {
		t.Errorf("Parse = %v, want %v", err, bluestore.ErrCorrupt)
	}
}

func TestParseTellsNoLabelFromACorruptOne(t *testing.T) {
	if _, err := bluestore.Parse(make([]byte, bluestore.BlockSize)); !errors.Is(err, bluestore.ErrNoLabel) {
		t.Errorf("Parse of zeros = %v, want %v", err, bluestore.ErrNoLabel)
	}
	whole := encode(osdUUID, map[string]string{"whoami": "3"})
	for cut := len(bluestore.Magic); cut < len(whole); cut++ {
		if _, err := bluestore.Parse(whole[:cut]); !errors.Is(err, bluestore.ErrCorrupt) {
			t.Fatalf("Parse of the first %d bytes = %v, want %v", cut, err, bluestore.ErrCorrupt)
		}
	}
}

func TestIdentityPrefersTheHighestEpochAndDistrustsLoneCopies(t *testing.T) {
	label := func(meta map[string]string) bluestore.Label { return bluestore.Label{Meta: meta} }
	stale := bluestore.Found{Offset: 0, Label: label(map[string]string{"multi": "yes", "epoch": "3"})}
	fresh := bluestore.Found{Offset: 1 << 30, Label: label(map[string]string{"multi": "yes", "epoch": "9"})}
	alien := bluestore.Found{Offset: 10 << 30, Label: label(nil)}
	if best, ok := bluestore.Identity([]bluestore.Found{stale, fresh, alien}); !ok || best.Offset != fresh.Offset {
		t.Errorf("Identity = %+v, %v; want the label at %d", best, ok, fresh.Offset)
	}
	if best, ok := bluestore.Identity([]bluestore.Found{alien}); ok {
		t.Errorf("Identity = %+v from a copy that is none", best)
	}
}

func TestReadFailsWhenTheDeviceDoes(t *testing.T) {
	if _, err := bluestore.Read(broken{}, 1<<40); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Read = %v, want %v", err, io.ErrClosedPipe)
	}
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

// FuzzBlueStoreLabel checks that no input makes the parser panic or accept a
// label whose checksum is wrong.
func FuzzBlueStoreLabel(f *testing.F) {
	f.Add(encode(osdUUID, map[string]string{"whoami": "3", "ceph_fsid": fsid}))
	f.Add([]byte(bluestore.Magic))
	for _, name := range []string{"osd-reef", "osd-db-device", "osd-label-flipped-bit"} {
		block := make([]byte, bluestore.BlockSize)
		if _, err := images(f)[name].ReadAt(block, 0); err != nil {
			f.Fatal(err)
		}
		f.Add(block)
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		label, err := bluestore.Parse(block)
		if err != nil {
			if !errors.Is(err, bluestore.ErrNoLabel) && !errors.Is(err, bluestore.ErrCorrupt) {
				t.Errorf("Parse = %v, want one of its two errors", err)
			}
			return
		}
		for i := range block[:min(len(block), 66)] {
			changed := append([]byte(nil), block...)
			changed[i] ^= 0x40
			if other, err := bluestore.Parse(changed); err == nil && other.OSDUUID == label.OSDUUID {
				t.Errorf("byte %d may change without notice", i)
			}
		}
	})
}
