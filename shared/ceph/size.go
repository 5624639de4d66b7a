package ceph

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// ReadSize reads a number of bytes as Ceph does where it takes units: all are
// powers of two, so that 10G, 10GB, 10Gi and 10GiB are the same; the last one only
// from Ceph 20 on. Ceph refuses fractions and other units, and so does ReadSize.
func ReadSize(text string) (size uint64, ok bool) {
	digits := strings.TrimRight(text, "BKMGTPEi")
	number, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, false
	}
	unit := text[len(digits):]
	if unit == "" || unit == "B" {
		return number, true
	}
	power := 10 * (strings.IndexByte("KMGTPE", unit[0]) + 1)
	if power == 0 || !slices.Contains([]string{"", "i", "B", "iB"}, unit[1:]) || bits.LeadingZeros64(number) <= power {
		return 0, false
	}
	return number << power, true
}
