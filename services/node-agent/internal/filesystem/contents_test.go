package filesystem

import (
	"bytes"
	"testing"
)

func TestInspect_tells_a_finished_xfs_from_one_that_is_being_made(t *testing.T) {
	t.Parallel()
	device := make([]byte, 1<<20)
	copy(device, "XFSB")
	for flag, want := range map[byte]string{0: "", 1: "xfs"} {
		device[126] = flag
		got, err := inspect(bytes.NewReader(device), int64(len(device)))
		if err != nil || got.Unfinished != want || !got.Has("xfs") {
			t.Errorf("flag %d: want %q, got %+v, %v", flag, want, got, err)
		}
	}
}

func TestInspect_finds_a_blank_device_blank(t *testing.T) {
	t.Parallel()
	device := make([]byte, 1<<20)
	if got, err := inspect(bytes.NewReader(device), int64(len(device))); err != nil || !got.Blank() || got.Unfinished != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
