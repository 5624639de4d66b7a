package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sort"
	"strings"
)

// requirements maps a file that must exist to the Debian package that has it.
func requirements() map[string]string {
	return map[string]string{
		"/usr/sbin/runc":       "runc",
		"/usr/lib/cni/ptp":     "containernetworking-plugins",
		"/usr/lib/cni/portmap": "containernetworking-plugins",
		"/usr/sbin/nft":        "nftables",
		"/usr/sbin/iptables":   "iptables",
		"/usr/bin/nsenter":     "util-linux",
		"/usr/bin/mount":       "mount",
		"/usr/sbin/mkfs.ext4":  "e2fsprogs",
		"/etc/ssl/certs":       "ca-certificates",
	}
}

// MissingPackages returns the packages to install, sorted. Exists tells
// whether a file does.
func MissingPackages(exists func(path string) bool) []string {
	missing := map[string]bool{}
	for file, name := range requirements() {
		if !exists(file) {
			missing[name] = true
		}
	}
	names := make([]string, 0, len(missing))
	for name := range missing {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Exists is true when the file exists on this host.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// InstallPackages installs Debian packages. It waits for another run of apt,
// and what apt says is shown only when it fails.
func InstallPackages(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	if !Exists("/usr/bin/apt-get") {
		return fmt.Errorf("install packages: this is no Debian or Ubuntu system: install %s by hand and run this again", strings.Join(names, ", "))
	}
	quiet := []string{"-qq", "-o", "DPkg::Lock::Timeout=300"}
	install := append(append(slices.Clone(quiet), "install", "-y", "--no-install-recommends"), names...)
	for _, arguments := range [][]string{append(slices.Clone(quiet), "update"), install} {
		command := exec.CommandContext(ctx, "apt-get", arguments...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if said, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("run apt-get %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(string(said)))
		}
	}
	return nil
}
