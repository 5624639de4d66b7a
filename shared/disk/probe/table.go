package probe

import "bytes"

// gpt recognises a GUID partition table by either of its headers: the primary
// one in the second sector and the backup in the last, for both sector sizes.
func gpt(w *window) []Signature {
	var found []Signature
	for _, sector := range []int64{512, 4096} {
		for _, offset := range []int64{sector, w.size/sector*sector - sector} {
			header := w.at(offset, 92)
			if !bytes.HasPrefix(header, []byte("EFI PART")) || seen(found, offset) {
				continue
			}
			found = append(found, Signature{
				Type: "gpt", Kind: PartitionTable, Offset: offset,
				UUID: guid(header[56:72]), Partitions: gptEntries(w, header, sector),
			})
		}
	}
	return found
}

func seen(found []Signature, offset int64) bool {
	for _, signature := range found {
		if signature.Offset == offset {
			return true
		}
	}
	return false
}

// gptEntries counts the used entries that a header points at.
func gptEntries(w *window, header []byte, sector int64) int {
	first, number, length := int64(le64(header[72:])), le32(header[80:]), le32(header[84:])
	if first < 0 || first > w.size/sector || number > 256 || length < 128 || length > 512 {
		return 0
	}
	used := 0
	for i := range int64(number) {
		entry := w.at(first*sector+i*int64(length), 16)
		if entry != nil && [16]byte(entry) != ([16]byte{}) {
			used++
		}
	}
	return used
}

// guid formats the mixed-endian uuid of a GPT.
func guid(raw []byte) string {
	b := bytes.Clone(raw)
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5] = b[5], b[4]
	b[6], b[7] = b[7], b[6]
	return rawUUID(b)
}

// mbr recognises the boot sector signature 55 aa: a DOS partition table when an
// entry is in use, "PMBR" when it protects a GPT, "boot-sector" otherwise.
func mbr(w *window) []Signature {
	boot := w.at(0, 512)
	if boot == nil || boot[510] != 0x55 || boot[511] != 0xaa {
		return nil
	}
	partitions, protective, plausible := 0, false, true
	for entry := boot[446:510]; len(entry) >= 16; entry = entry[16:] {
		if entry[0] != 0 && entry[0] != 0x80 {
			plausible = false
		}
		if entry[4] != 0 {
			partitions++
			protective = protective || entry[4] == 0xee
		}
	}
	signature := Signature{Type: "boot-sector", Kind: PartitionTable, Offset: 510}
	switch {
	case protective:
		signature.Type = "PMBR"
	case plausible && partitions > 0:
		signature.Type, signature.Partitions = "dos", partitions
	}
	return []Signature{signature}
}

// atari recognises what the Linux kernel takes for an Atari (AHDI) partition
// table. The format has no signature: one entry in sector 0 with its lowest
// flag bit set, three alphanumeric bytes and a range within the device is
// enough, so other data (famously BlueStore labels) can look like one, and the
// kernel then shows phantom partitions.
func atari(w *window) []Signature {
	sector := w.at(0, 512)
	if sector == nil {
		return nil
	}
	partitions := 0
	for at := 0x1c6; at < 0x1f6; at += 12 {
		if atariEntry(sector[at:at+12], w.size/512) {
			partitions++
		}
	}
	if partitions == 0 {
		return nil
	}
	return []Signature{{Type: "atari", Kind: PartitionTable, Offset: 0x1c6, Partitions: partitions}}
}

func atariEntry(entry []byte, sectors int64) bool {
	if entry[0]&1 == 0 {
		return false
	}
	for _, c := range entry[1:4] {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	// The kernel adds in 32 bits, so a sum that wraps around passes its check too.
	start, length := be32(entry[4:]), be32(entry[8:])
	return int64(start) <= sectors && int64(start+length) <= sectors
}

// otherTables recognises the Sun label and the Amiga rigid disk block, which
// need more than constant bytes.
func otherTables(w *window) []Signature {
	var found []Signature
	if raw := w.at(0, 512); raw != nil && raw[508] == 0xda && raw[509] == 0xbe {
		var sum uint16
		for i := 0; i < 512; i += 2 {
			sum ^= uint16(raw[i])<<8 | uint16(raw[i+1])
		}
		if sum == 0 {
			found = append(found, Signature{Type: "sun", Kind: PartitionTable, Offset: 508})
		}
	}
	for block := range int64(16) {
		if bytes.Equal(w.at(block*512, 4), []byte("RDSK")) {
			found = append(found, Signature{Type: "amiga", Kind: PartitionTable, Offset: block * 512})
		}
	}
	return found
}

// ldmBackup recognises the copies of the Windows dynamic disk header at the end.
func ldmBackup(w *window) []Signature {
	last := w.size / 512
	for _, sector := range []int64{1, 192, 1856, 2047, 2048} {
		offset := (last - sector) * 512
		if bytes.Equal(w.at(offset, 8), []byte("PRIVHEAD")) {
			return []Signature{{Type: "ldm", Kind: PartitionTable, Offset: offset}}
		}
	}
	return nil
}
