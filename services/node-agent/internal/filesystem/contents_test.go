package filesystem

import (
	"bytes"
	"encoding/binary"
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

func TestInspect_finds_what_a_file_system_does_not_use(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	xfs := func(blocks uint64) func([]byte) {
		return func(device []byte) {
			copy(device, "XFSB")
			binary.BigEndian.PutUint32(device[4:], 4096)
			binary.BigEndian.PutUint64(device[8:], blocks)
		}
	}
	ext := func(blocks uint32, order uint32) func([]byte) {
		return func(device []byte) {
			super := device[1024:]
			binary.LittleEndian.PutUint16(super[0x38:], 0xef53)
			binary.LittleEndian.PutUint32(super[0x4:], blocks)
			binary.LittleEndian.PutUint32(super[0x18:], order)
			binary.LittleEndian.PutUint32(super[0x4c:], 1)    // dynamic revision
			binary.LittleEndian.PutUint32(super[0x60:], 0x40) // extents
			binary.LittleEndian.PutUint32(super[0x150:], 7)   // means nothing without 64bit
		}
	}
	cases := map[string]struct {
		write    func([]byte)
		spare    int64
		outgrown bool
	}{
		"xfs_that_fills_its_device":    {xfs(size / 4096), 0, false},
		"xfs_of_a_device_that_grew":    {xfs(size / 4096 / 2), size / 2, true},
		"xfs_of_a_device_that_shrank":  {xfs(size / 4096 * 2), 0, false},
		"ext4_that_fills_its_device":   {ext(size/4096, 2), 0, false},
		"ext4_of_a_device_that_grew":   {ext(size/1024/2, 0), size / 2, true},
		"ext4_that_left_a_short_group": {ext(size/4096-512, 2), 2 << 20, false},
		"none":                         {func([]byte) {}, 0, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			device := make([]byte, size)
			tc.write(device)
			got, err := inspect(bytes.NewReader(device), size)
			if err != nil || got.Spare != tc.spare || got.Outgrown() != tc.outgrown {
				t.Errorf("want %d bytes, outgrown %t, got %+v, %v", tc.spare, tc.outgrown, got, err)
			}
		})
	}
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"resize2fs 1.47.0 (5-Feb-2023)\nresize2fs: Permission denied to resize filesystem\n": "resize2fs: Permission denied to resize filesystem",
		"no such thing\nand more\n": "no such thing",
		"":                          "",
	} {
		if got := complaint("resize2fs", output); got != want {
			t.Errorf("%q: want %q, got %q", output, want, got)
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
