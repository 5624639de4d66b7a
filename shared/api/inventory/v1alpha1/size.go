package v1alpha1

import (
	"strconv"
)

// FormatSize writes a number of bytes for people, in powers of 1024 and with at
// most one decimal, such as 1.8TiB. The same size is always written the same.
func FormatSize(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(bytes), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	if n := len(text); text[n-2:] == ".0" {
		text = text[:n-2]
	}
	return text + units[unit]
}
