package attach

import (
	"errors"
	"os"
	"testing"
)

func TestAttacher_believes_no_record_of_another_boot(t *testing.T) {
	t.Parallel()
	b := &backend{name: FUSE}
	before := Attacher{Directory: t.TempDir(), Boot: "before", Backends: []Backend{b}}
	record, err := before.Attach(t.Context(), volume(), Choice{})
	if err != nil || !before.Serves(record) {
		t.Fatalf("serves %t, %v", before.Serves(record), err)
	}
	after := Attacher{Directory: before.Directory, Boot: "after", Backends: before.Backends}
	if after.Serves(record) {
		t.Error("a device of an earlier boot passes for the volume's")
	}
	if err := after.Detach(t.Context(), volume().ID); err != nil || b.detached > 0 {
		t.Errorf("detached %d devices of an earlier boot, %v", b.detached, err)
	}
	if _, err := after.Find(volume().ID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("record is left: %v", err)
	}
}

func TestAttacher_attaches_again_after_a_boot(t *testing.T) {
	t.Parallel()
	b := &backend{name: FUSE}
	before := Attacher{Directory: t.TempDir(), Boot: "before", Backends: []Backend{b}}
	if _, err := before.Attach(t.Context(), volume(), Choice{}); err != nil {
		t.Fatal(err)
	}
	after := Attacher{Directory: before.Directory, Boot: "after", Backends: before.Backends}
	record, err := after.Attach(t.Context(), volume(), Choice{})
	if err != nil || b.attached != 2 || b.detached != 0 || record.Boot != "after" {
		t.Errorf("attached %d times, detached %d, record of boot %q, %v", b.attached, b.detached, record.Boot, err)
	}
}
