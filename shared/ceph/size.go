package ceph

import (
	"math/bits"
	"strconv"
	"strings"
)

// ReadSize reads a number of bytes as Ceph does where it takes units: all are
// powers of two, so that 10G, 10GB and 10Gi are the same. Ceph refuses fractions
// and longer units, and so does ReadSize.
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
	if len(unit) > 2 || len(unit) == 2 && unit[1] != 'i' && unit[1] != 'B' {
		return 0, false
	}
	power := 10 * (strings.IndexByte("KMGTPE", unit[0]) + 1)
	if power == 0 || bits.LeadingZeros64(number) <= power {
		return 0, false
	}
	return number << power, true
}
