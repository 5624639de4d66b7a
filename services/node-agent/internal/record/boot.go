package record

import (
	"fmt"
	"os"
	"strings"
)

const bootID = "/proc/sys/kernel/random/boot_id"

// Boot returns the id that the kernel drew when the node was started. It is the same in
// all containers and never comes again.
func Boot() (string, error) {
	text, err := os.ReadFile(bootID)
	if err != nil {
		return "", fmt.Errorf("read id of the running boot: %w", err)
	}
	boot := strings.TrimSpace(string(text))
	if boot == "" {
		return "", fmt.Errorf("read id of the running boot: %s is empty: %w", bootID, os.ErrInvalid)
	}
	return boot, nil
}
