// Package module sees to it that a part of the kernel is there. It loads
// modules only where that is allowed, and never unloads one.
package module

import (
	"fmt"
	"os/exec"
	"strings"
)

// Policy says whether a missing kernel module may be loaded.
type Policy int

const (
	// Loaded modules are used only.
	Loaded Policy = iota
	// Load what is missing; it needs the host's /lib/modules.
	Load
)

// Ensure returns nil if look does, or if loading the module helped as far as
// modprobe can tell.
func (p Policy) Ensure(look func() error, name string, parameters ...string) error {
	err := look()
	if err == nil {
		return nil
	}
	if p != Load {
		return fmt.Errorf("look for kernel module %s: %w", name, err)
	}
	output, err := exec.Command("modprobe", append([]string{name}, parameters...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("load kernel module %s: %w: %s", name, err, strings.TrimSpace(string(output)))
	}
	return nil
}
