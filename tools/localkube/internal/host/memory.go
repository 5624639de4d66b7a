package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns the proportional memory of processes in bytes. One that has
// ended counts nothing.
func Memory(pids []int) int64 {
	var total int64
	for _, pid := range pids {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err == nil {
			total += proportional(string(content))
		}
	}
	return total
}

// proportional reads the line "Pss: N kB" of a smaps_rollup file.
func proportional(rollup string) int64 {
	for line := range strings.Lines(rollup) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "Pss:" {
			if value, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return value << 10
			}
		}
	}
	return 0
}
