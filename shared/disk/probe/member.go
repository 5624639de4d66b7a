package probe

import "bytes"

// mdMagic begins every Linux RAID superblock.
const mdMagic = 0xa92b4efc

// linuxRAID recognises the two mdadm formats that live at the end of a device:
// 0.90 in the last aligned 64 KiB, 1.0 within the last 8 to 12 KiB. The ones at
// the start are constant signatures.
func linuxRAID(w *window) []Signature {
	var found []Signature
	sectors := w.size / 512
	for _, offset := range []int64{
		w.size&^(64<<10-1) - 64<<10,
		((sectors - 16) &^ 7) * 512,
	} {
		if raw := w.at(offset, 4); le32(raw) == mdMagic || be32(raw) == mdMagic {
			found = append(found, Signature{Type: "linux_raid_member", Kind: RAID, Offset: offset})
		}
	}
	return found
}

// ddf recognises the anchor of the SNIA disk data format in the last sector or
// 257 sectors before the end.
func ddf(w *window) []Signature {
	for _, back := range []int64{1, 257} {
		offset := w.size/512*512 - back*512
		if raw := w.at(offset, 4); be32(raw) == 0xde11de11 || le32(raw) == 0xde11de11 {
			return []Signature{{Type: "ddf_raid_member", Kind: RAID, Offset: offset}}
		}
	}
	return nil
}

// firmwareRAID recognises the metadata of disk controllers, which lies a fixed
// number of sectors before the end.
func firmwareRAID(w *window) []Signature {
	known := []struct {
		typ   string
		back  []int64
		at    int64
		bytes string
	}{
		{"isw_raid_member", []int64{2, 1}, 0, "Intel Raid ISM Cfg Sig. "},
		{"lsi_mega_raid_member", []int64{1}, 0, "$XIDE$"},
		{"nvidia_raid_member", []int64{2}, 0, "NVIDIA"},
		{"adaptec_raid_member", []int64{1}, 0, "\x90\x07\x65\xc4"},
		{"silicon_medley_raid_member", []int64{1}, 0x60, "\x00\x00\x00\x2f"},
		{"hpt45x_raid_member", []int64{11}, 0, "\xf3\x16\x78\x5a"},
		{"hpt45x_raid_member", []int64{11}, 0, "\xfd\x16\x78\x5a"},
		{"promise_fasttrack_raid_member", []int64{63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087}, 0, "Promise Technology, Inc."},
	}
	var found []Signature
	for _, format := range known {
		for _, back := range format.back {
			offset := w.size/512*512 - back*512 + format.at
			if bytes.Equal(w.at(offset, len(format.bytes)), []byte(format.bytes)) {
				found = append(found, Signature{Type: format.typ, Kind: RAID, Offset: offset})
			}
		}
	}
	return found
}

// sumRAID recognises the two controllers whose magic is so short that a
// checksum has to confirm it.
func sumRAID(w *window) []Signature {
	offset := w.size/512*512 - 512
	last := w.at(offset, 512)
	if last == nil {
		return nil
	}
	if last[0] == 'J' && last[1] == 'M' {
		var sum uint16
		for i := 0; i < 128; i += 2 {
			sum += le16(last[i:])
		}
		if sum <= 1 {
			return []Signature{{Type: "jmicron_raid_member", Kind: RAID, Offset: offset}}
		}
	}
	if last[0] == 0x55 && last[1] == 0xaa && last[2] <= 2 {
		var sum uint8
		for _, b := range last[:50] {
			sum += b
		}
		if sum == last[50] {
			return []Signature{{Type: "via_raid_member", Kind: RAID, Offset: offset}}
		}
	}
	return nil
}

// zfs recognises a pool member by any uberblock in any of its four labels, two
// at each end of the device.
func zfs(w *window) []Signature {
	const label, ring, magic = 256 << 10, 128 << 10, 0x00bab10c
	end := w.size / label * label
	for _, start := range []int64{0, label, end - 2*label, end - label} {
		if start < 0 {
			continue
		}
		for offset := start + ring; offset < start+label; offset += 1 << 10 {
			raw := w.at(offset, 8)
			if raw == nil {
				break
			}
			if le64(raw) == magic || (be32(raw) == 0 && be32(raw[4:]) == magic) {
				return []Signature{{Type: "zfs_member", Kind: Volume, Offset: offset}}
			}
		}
	}
	return nil
}

// drbd recognises internal metadata of DRBD in the last 4 KiB: one of the
// magics of versions 8 and 9 within the first fields.
func drbd(w *window) []Signature {
	offset := w.size/4096*4096 - 4096
	head := w.at(offset, 128)
	for i := 0; i+4 <= len(head); i += 4 {
		if value := be32(head[i:]); value >= 0x8374026a && value <= 0x8374026d {
			return []Signature{{Type: "drbd", Kind: Volume, Offset: offset + int64(i)}}
		}
	}
	return nil
}
