//go:build corpus

package main

import "github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"

// patch is some bytes at an offset; a negative offset counts from the end.
type patch struct {
	offset int64
	bytes  string
}

// crafted makes the images for which no tool runs on a plain file: formats of
// other systems, of hardware, and of kernels with modules that may be missing.
func (g generator) crafted() error {
	const size = 32 * mib
	const sector = 512
	md := "\xfc\x4e\x2b\xa9\x01\x00\x00\x00"
	images := map[string][]patch{
		// The 0.90 superblock lies in the last aligned 64 KiB, 1.0 16 sectors before the end.
		"md-0.90":            {{size - 64<<10, "\xfc\x4e\x2b\xa9\x00\x00\x00\x00\x5a\x00\x00\x00"}},
		"md-0.90-big-endian": {{size - 64<<10, "\xa9\x2b\x4e\xfc\x00\x00\x00\x00\x00\x00\x00\x5a"}},
		"md-1.0":             {{size - 16*sector, md}},
		"md-1.1":             {{0, md}},
		"md-1.2":             {{4096, md}},
		"ddf":                {{-sector, "\xde\x11\xde\x11" + "\x00\x00\x00\x00" + "Craft   "}},
		"ddf-257":            {{-257 * sector, "\xde\x11\xde\x11"}},
		"imsm":               {{-2 * sector, "Intel Raid ISM Cfg Sig. 1.3.00"}},
		"lsi-mega":           {{-sector, "$XIDE$"}},
		"nvidia":             {{-2 * sector, "NVIDIA"}},
		"adaptec":            {{-sector, "\x90\x07\x65\xc4"}},
		"silicon":            {{-sector + 0x60, "\x00\x00\x00\x2f"}},
		"hpt37x":             {{0x1220, "\xf0\x16\x78\x5a"}},
		"hpt45x":             {{-11 * sector, "\xf3\x16\x78\x5a"}},
		"promise":            {{-63 * sector, "Promise Technology, Inc."}},
		"jmicron":            {{-sector, "JM\xb6\xb2"}},
		"via":                {{-sector, "\x55\xaa\x01" + string(make([]byte, 47)) + "\x00"}},
		"zfs":                zfsLabels(0, 256<<10, size-512<<10, size-256<<10),
		"zfs-last-label":     zfsLabels(size - 256<<10),
		"zfs-big-endian":     {{128<<10 + 4<<10, "\x00\x00\x00\x00\x00\xba\xb1\x0c"}},
		"drbd8":              {{-4096 + 60, "\x83\x74\x02\x6b"}},
		"drbd9":              {{-4096 + 60, "\x83\x74\x02\x6d"}},
		"bcachefs":           {{0x1018, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"}},
		"stratis":            {{512 + 4, "!Stra0tis\x86\xff\x02^\x41rh"}},
		"vdo":                {{0, "dmvdo001"}},
		"dm-verity":          {{0, "verity\x00\x00\x01\x00\x00\x00"}},
		"dm-snapshot":        {{0, "SnAp\x01\x00\x00\x00"}},
		"dm-integrity":       {{0, "integrt\x00"}},
		"vmfs-volume":        {{0x100000, "\x0d\xd0\x01\xc0"}},
		"vmfs":               {{0x200000, "\x5e\xf1\xab\x2f"}},
		"oracle-asm":         {{32, "ORCLDISKVOL1"}},
		"bitlocker":          {{0, "\xeb\x58\x90-FVE-FS-"}, {510, "\x55\xaa"}},
		"refs":               {{0, "\x00\x00\x00ReFS\x00"}},
		"apfs":               {{32, "NXSB"}},
		"hfsplus":            {{0x400, "H+\x00\x04"}},
		"ufs2":               {{64<<10 + 1372, "\x19\x01\x54\x19"}},
		"erofs":              {{0x400, "\xe2\xe1\xf5\xe0"}},
		"swsuspend":          {{4096 - 10, "S1SUSPEND\x00"}},
		"ldm":                {{6 * sector, "PRIVHEAD"}},
		"ldm-backup-only":    {{-sector, "PRIVHEAD"}},
		"boot-sector":        {{510, "\x55\xaa"}},
		// An AHDI entry as it appears by chance: odd flag, letters, a small range.
		"atari-phantom":  {{0x1d2, "\x01GEM\x00\x00\x00\x02\x00\x00\x10\x00"}},
		"atari-in-noise": {{0x100, "qTzYw3lMqkB7"}, {0x1c6 + 24, "\x7fk3Z\x00\x00\x40\x00\x00\x00\x0f\xff"}},
	}
	for name, patches := range images {
		image := &corpus.Image{Size: size}
		for _, p := range patches {
			offset := p.offset
			if offset < 0 {
				offset += size
			}
			if _, err := image.WriteAt([]byte(p.bytes), offset); err != nil {
				return err
			}
		}
		if err := g.save(name, image); err != nil {
			return err
		}
	}
	return nil
}

// zfsLabels places one little-endian uberblock into the ring of each label.
func zfsLabels(starts ...int64) []patch {
	var patches []patch
	for _, start := range starts {
		patches = append(patches, patch{start + 128<<10 + 4<<10, "\x0c\xb1\xba\x00\x00\x00\x00\x00\x88\x13\x00\x00\x00\x00\x00\x00"})
	}
	return patches
}
