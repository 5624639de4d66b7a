package device

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
)

// encodeLabel writes the block that marks a disk as the one of an OSD whose
// preparation has begun. It carries no "ready", so no reader takes the OSD for
// a finished one, and mkfs replaces it.
func encodeLabel(osd Identity, size int64, now time.Time) ([]byte, error) {
	return encode(osd, size, now, map[string]string{"ceph_fsid": osd.FSID, "whoami": strconv.Itoa(osd.ID)})
}

// encode writes a label with the given meta entries.
func encode(osd Identity, size int64, now time.Time, meta map[string]string) ([]byte, error) {
	uuid, err := hex.DecodeString(strings.ReplaceAll(osd.UUID, "-", ""))
	if err != nil || len(uuid) != 16 {
		return nil, fmt.Errorf("encode label: %q is no uuid", osd.UUID)
	}
	body := append([]byte(nil), uuid...)
	body = binary.LittleEndian.AppendUint64(body, uint64(size))
	body = binary.LittleEndian.AppendUint32(body, uint32(now.Unix()))
	body = binary.LittleEndian.AppendUint32(body, uint32(now.Nanosecond()))
	body = appendText(body, "main")
	keys := make([]string, 0, len(meta))
	for key := range meta {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(keys)))
	for _, key := range keys {
		body = appendText(appendText(body, key), meta[key])
	}

	block := append([]byte(bluestore.Magic), osd.UUID+"\n"...)
	block = append(block, 2, 1) // structure version and the oldest that can read it
	block = binary.LittleEndian.AppendUint32(block, uint32(len(body)))
	block = append(block, body...)
	block = binary.LittleEndian.AppendUint32(block, ^crc32.Checksum(block, crc32.MakeTable(crc32.Castagnoli)))
	return append(block, make([]byte, bluestore.BlockSize-len(block))...), nil
}

func appendText(to []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint32(to, uint32(len(text))), text...)
}
