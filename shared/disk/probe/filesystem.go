package probe

import "bytes"

// ext recognises ext2, ext3, ext4 and an external journal by the superblock at 1 KiB.
func ext(w *window) []Signature {
	super := w.at(0x400, 0x400)
	if super == nil || le16(super[0x38:]) != 0xef53 {
		return nil
	}
	const (
		hasJournal = 0x4
		journalDev = 0x8
		// extents, 64bit, flexible groups, meta-checksum seed and the like.
		onlyExt4 = 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x4000 | 0x8000
	)
	compat, incompat := le32(super[0x5c:]), le32(super[0x60:])
	typ := "ext2"
	switch {
	case incompat&journalDev != 0:
		typ = "jbd"
	case incompat&onlyExt4 != 0:
		typ = "ext4"
	case compat&hasJournal != 0:
		typ = "ext3"
	}
	return []Signature{{Type: typ, Kind: Filesystem, Offset: 0x438, Label: printable(super[0x78:0x88]), UUID: rawUUID(super[0x68:0x78])}}
}

// swap recognises swap space and hibernation images at the end of the first
// page, for every page size that Linux has been built with.
func swap(w *window) []Signature {
	var found []Signature
	for _, page := range []int64{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10} {
		tail := w.at(page-10, 10)
		for _, known := range []struct{ magic, typ string }{
			{"SWAPSPACE2", "swap"}, {"SWAP-SPACE", "swap"},
			{"S1SUSPEND", "swsuspend"}, {"S2SUSPEND", "swsuspend"}, {"ULSUSPEND", "swsuspend"},
			{"LINHIB0001", "swsuspend"}, {"\xed\xc3\x02\xe9\x98\x56\xe5\x0c", "swsuspend"},
		} {
			if bytes.HasPrefix(tail, []byte(known.magic)) {
				found = append(found, Signature{Type: known.typ, Kind: Swap, Offset: page - 10})
			}
		}
	}
	return found
}

// fat recognises FAT12, FAT16 and FAT32 by the names in their boot sector, and
// by the shape of the parameter block when an old formatter wrote no name.
func fat(w *window) []Signature {
	boot := w.at(0, 512)
	if boot == nil {
		return nil
	}
	for _, known := range []struct {
		at    int
		name  string
		label int
	}{{54, "FAT12   ", 43}, {54, "FAT16   ", 43}, {54, "FAT     ", 43}, {82, "FAT32   ", 71}, {54, "MSDOS", 43}, {82, "MSDOS", 71}} {
		if bytes.HasPrefix(boot[known.at:], []byte(known.name)) {
			return []Signature{{Type: "vfat", Kind: Filesystem, Offset: int64(known.at), Label: printable(boot[known.label : known.label+11])}}
		}
	}
	jump := boot[0] == 0xeb || boot[0] == 0xe9
	sector, cluster, reserved, fats, media := le16(boot[11:]), boot[13], le16(boot[14:]), boot[16], boot[21]
	if jump && powerOfTwo(uint32(sector), 512, 4096) && powerOfTwo(uint32(cluster), 1, 128) && reserved > 0 && fats > 0 && fats <= 4 && media >= 0xf0 {
		return []Signature{{Type: "vfat", Kind: Filesystem, Offset: 11}}
	}
	return nil
}

func powerOfTwo(n, low, high uint32) bool { return n >= low && n <= high && n&(n-1) == 0 }

// xfsLog recognises an external XFS journal: a log record header at the start
// of some sector within the first 256 KiB.
func xfsLog(w *window) []Signature {
	const cycleMagic = 0xfeedbabe
	for offset := int64(0); offset < 256<<10; offset += 512 {
		header := w.at(offset, 12)
		if be32(header) != cycleMagic {
			continue
		}
		if version := be32(header[8:]); version == 1 || version == 2 {
			return []Signature{{Type: "xfs_external_log", Kind: Filesystem, Offset: offset}}
		}
	}
	return nil
}

// ufs recognises UFS1 and UFS2 of either byte order at their four places.
func ufs(w *window) []Signature {
	for _, start := range []int64{0, 8 << 10, 64 << 10, 256 << 10} {
		raw := w.at(start+1372, 4)
		for _, value := range []uint32{le32(raw), be32(raw)} {
			switch value {
			case 0x00011954, 0x19540119, 0x00095014, 0x00195612, 0x7c269d38:
				return []Signature{{Type: "ufs", Kind: Filesystem, Offset: start + 1372}}
			}
		}
	}
	return nil
}

// minix recognises the three versions of the Minix file system.
func minix(w *window) []Signature {
	super := w.at(0x400, 32)
	if super == nil {
		return nil
	}
	swapped := func(v uint16) uint16 { return v<<8 | v>>8 }
	for _, value := range []uint16{le16(super[16:]), swapped(le16(super[16:]))} {
		switch value {
		case 0x137f, 0x138f, 0x2468, 0x2478:
			return []Signature{{Type: "minix", Kind: Filesystem, Offset: 0x410}}
		}
	}
	if v := le16(super[24:]); v == 0x4d5a || swapped(v) == 0x4d5a {
		return []Signature{{Type: "minix", Kind: Filesystem, Offset: 0x418}}
	}
	return nil
}

// nilfsBackup recognises the second NILFS2 superblock, in the last 4 KiB block
// but one.
func nilfsBackup(w *window) []Signature {
	offset := (w.size>>12 - 1) << 12
	if raw := w.at(offset, 8); raw != nil && offset > 0 && le16(raw[6:]) == 0x3434 {
		return []Signature{{Type: "nilfs2", Kind: Filesystem, Offset: offset + 6}}
	}
	return nil
}
