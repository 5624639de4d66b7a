package probe

import (
	"bytes"
	"strings"
)

// magic is a signature that is decided by constant bytes at constant offsets.
type magic struct {
	typ     string
	kind    Kind
	bytes   string
	offsets []int64
	// labelAt and labelLen place the volume name relative to the offset, when
	// labelLen is not 0.
	labelAt, labelLen int64
	// uuidAt places 16 raw uuid bytes relative to the offset, when not 0.
	uuidAt int64
}

// fixed checks every constant signature.
func fixed(w *window) []Signature {
	var found []Signature
	for _, m := range magics() {
		for _, offset := range m.offsets {
			if !bytes.Equal(w.at(offset, len(m.bytes)), []byte(m.bytes)) {
				continue
			}
			signature := Signature{Type: m.typ, Kind: m.kind, Offset: offset}
			if m.labelLen > 0 {
				signature.Label = printable(w.at(offset+m.labelAt, int(m.labelLen)))
			}
			if m.uuidAt != 0 {
				signature.UUID = rawUUID(w.at(offset+m.uuidAt, 16))
			}
			found = append(found, signature)
		}
	}
	return found
}

func at(offsets ...int64) []int64 { return offsets }

func magics() []magic {
	all := filesystemMagics()
	all = append(all, volumeMagics()...)
	return append(all, tableMagics()...)
}

func filesystemMagics() []magic {
	const fs = Filesystem
	return []magic{
		{typ: "xfs", kind: fs, bytes: "XFSB", offsets: at(0), labelAt: 108, labelLen: 12, uuidAt: 32},
		// The magic is 64 bytes into the superblock; mirrors follow at 64 MiB and 256 GiB.
		{typ: "btrfs", kind: fs, bytes: "_BHRfS_M", offsets: at(0x10040, 0x4000040, 0x4000000040), labelAt: 0x12b - 0x40, labelLen: 256, uuidAt: 0x20 - 0x40},
		{typ: "ntfs", kind: fs, bytes: "NTFS    ", offsets: at(3)},
		{typ: "exfat", kind: fs, bytes: "EXFAT   ", offsets: at(3)},
		{typ: "ReFS", kind: fs, bytes: "\x00\x00\x00ReFS\x00", offsets: at(0)},
		{typ: "hpfs", kind: fs, bytes: "\x49\xe8\x95\xf9", offsets: at(0x2000)},
		{typ: "f2fs", kind: fs, bytes: "\x10\x20\xf5\xf2", offsets: at(0x400, 0x1400)},
		{typ: "nilfs2", kind: fs, bytes: "\x34\x34", offsets: at(0x406)},
		{typ: "reiserfs", kind: fs, bytes: "ReIsEr", offsets: at(0x2034, 0x10034, 0x10000)},
		{typ: "jfs", kind: fs, bytes: "JFS1", offsets: at(0x8000, 0xf000)},
		{typ: "squashfs", kind: fs, bytes: "hsqs", offsets: at(0)},
		{typ: "squashfs", kind: fs, bytes: "sqsh", offsets: at(0)},
		{typ: "cramfs", kind: fs, bytes: "\x45\x3d\xcd\x28", offsets: at(0, 512)},
		{typ: "cramfs", kind: fs, bytes: "\x28\xcd\x3d\x45", offsets: at(0, 512)},
		{typ: "romfs", kind: fs, bytes: "-rom1fs-", offsets: at(0)},
		{typ: "erofs", kind: fs, bytes: "\xe2\xe1\xf5\xe0", offsets: at(0x400)},
		{typ: "iso9660", kind: fs, bytes: "CD001", offsets: at(0x8001, 0x8801, 0x9001), labelAt: 39, labelLen: 32},
		{typ: "iso9660", kind: fs, bytes: "CDROM", offsets: at(0x8009)},
		{typ: "udf", kind: fs, bytes: "BEA01", offsets: at(0x8001)},
		{typ: "udf", kind: fs, bytes: "NSR02", offsets: at(0x8001, 0x8801, 0x9001)},
		{typ: "udf", kind: fs, bytes: "NSR03", offsets: at(0x8001, 0x8801, 0x9001)},
		{typ: "hfs", kind: fs, bytes: "BD", offsets: at(0x400)},
		{typ: "hfsplus", kind: fs, bytes: "H+", offsets: at(0x400)},
		{typ: "hfsplus", kind: fs, bytes: "HX", offsets: at(0x400)},
		{typ: "apfs", kind: fs, bytes: "NXSB", offsets: at(32)},
		{typ: "gfs2", kind: fs, bytes: "\x01\x16\x19\x70", offsets: at(0x10000)},
		{typ: "ocfs2", kind: fs, bytes: "OCFSV2", offsets: at(0x400, 0x800, 0x1000, 0x2000)},
		{typ: "ocfs", kind: fs, bytes: "OracleCFS", offsets: at(8)},
		{typ: "bcachefs", kind: fs, bytes: "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", offsets: at(0x1018)},
		{typ: "befs", kind: fs, bytes: "1SFB", offsets: at(0x20, 0x220)},
		{typ: "befs", kind: fs, bytes: "BFS1", offsets: at(0x20, 0x220)},
		{typ: "ubifs", kind: fs, bytes: "\x31\x18\x10\x06", offsets: at(0)},
		{typ: "vxfs", kind: fs, bytes: "\xf5\xfc\x01\xa5", offsets: at(0x400)},
		{typ: "vxfs", kind: fs, bytes: "\xa5\x01\xfc\xf5", offsets: at(0x2000)},
		{typ: "zonefs", kind: fs, bytes: "SFOZ", offsets: at(0)},
		{typ: "VMFS", kind: fs, bytes: "\x5e\xf1\xab\x2f", offsets: at(0x200000)},
		{typ: "SPDK", kind: fs, bytes: "SPDKBLOB", offsets: at(0)},
	}
}

func volumeMagics() []magic {
	return []magic{
		{typ: "LVM2_member", kind: Volume, bytes: "LABELONE", offsets: at(0, 512, 1024, 1536)},
		{typ: "LVM1_member", kind: Volume, bytes: "HM\x01\x00", offsets: at(0)},
		{typ: "LVM1_member", kind: Volume, bytes: "HM\x02\x00", offsets: at(0)},
		{typ: "DM_snapshot_cow", kind: Volume, bytes: "SnAp", offsets: at(0)},
		{typ: "DM_verity_hash", kind: Volume, bytes: "verity\x00\x00", offsets: at(0)},
		{typ: "DM_integrity", kind: Volume, bytes: "integrt\x00", offsets: at(0)},
		{typ: "vdo", kind: Volume, bytes: "dmvdo001", offsets: at(0)},
		{typ: "stratis", kind: Volume, bytes: "!Stra0tis\x86\xff\x02^\x41rh", offsets: at(512+4, 9*512+4)},
		{typ: "bcache", kind: Volume, bytes: "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", offsets: at(0x1018)},
		{typ: "VMFS_volume_member", kind: Volume, bytes: "\x0d\xd0\x01\xc0", offsets: at(0x100000)},
		{typ: "oracleasm", kind: Volume, bytes: "ORCLDISK", offsets: at(32)},
		{typ: "ubi", kind: Volume, bytes: "UBI#", offsets: at(0)},
		{typ: "linux_raid_member", kind: RAID, bytes: "\xfc\x4e\x2b\xa9", offsets: at(0, 0x1000)},
		{typ: "linux_raid_member", kind: RAID, bytes: "\xa9\x2b\x4e\xfc", offsets: at(0, 0x1000)},
		{typ: "hpt37x_raid_member", kind: RAID, bytes: "\xf0\x16\x78\x5a", offsets: at(0x1220)},
		{typ: "hpt37x_raid_member", kind: RAID, bytes: "\xfd\x16\x78\x5a", offsets: at(0x1220)},
		{typ: "crypto_LUKS", kind: Encrypted, bytes: "LUKS\xba\xbe", offsets: at(0)},
		// The second header of LUKS2 lies behind the first, whose size is one of these.
		{typ: "crypto_LUKS", kind: Encrypted, bytes: "SKUL\xba\xbe", offsets: at(0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000)},
		{typ: "BitLocker", kind: Encrypted, bytes: "-FVE-FS-", offsets: at(3)},
	}
}

func tableMagics() []magic {
	const table = PartitionTable
	return []magic{
		{typ: "mac", kind: table, bytes: "PM\x00\x00", offsets: at(512, 2048, 4096)},
		{typ: "sgi", kind: table, bytes: "\x0b\xe5\xa9\x41", offsets: at(0)},
		{typ: "bsd", kind: table, bytes: "\x57\x45\x56\x82", offsets: at(0, 64, 128, 512)},
		{typ: "ldm", kind: table, bytes: "PRIVHEAD", offsets: at(6 * 512)},
		{typ: "aix", kind: table, bytes: "\xc9\xc2\xd4\xc1", offsets: at(0)},
		{typ: "ultrix", kind: table, bytes: "\x02\x29\x56\x00", offsets: at(16376)},
	}
}

// printable turns a fixed field into text up to its first zero byte; anything
// that is not printable ASCII becomes '?', so that a message stays one line.
func printable(raw []byte) string {
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		raw = raw[:i]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(raw)))
}
