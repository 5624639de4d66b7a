package real

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// rootfsVariable names one Ceph root file system to use in place of all others.
const rootfsVariable = "ROOK_CEPH_ROOTFS"

// installation is where daemons come from; root is empty for the host's own.
type installation struct {
	release string
	root    string
}

// Releases returns the Ceph releases that can be started here, such as "reef",
// oldest first. What ROOK_CEPH_ROOTFS names and the host's packages go by
// "rootfs" and "host".
func Releases() []string {
	var names []string
	for _, found := range installations() {
		names = append(names, found.release)
	}
	return names
}

func installations() []installation {
	if root := os.Getenv(rootfsVariable); root != "" {
		return []installation{{release: "rootfs", root: root}}
	}
	var found []installation
	for _, release := range []string{"reef", "squid", "tentacle"} {
		root := filepath.Join(cacheDir(), "rootfs", "ceph-"+release)
		if _, err := os.Stat(filepath.Join(root, "usr/bin/ceph-mon")); err == nil {
			found = append(found, installation{release: release, root: root})
		}
	}
	if len(found) > 0 {
		return found
	}
	if _, err := exec.LookPath("ceph-mon"); err == nil {
		return []installation{{release: "host"}}
	}
	return nil
}

// choose returns the wanted release, or the oldest one when none is wanted.
func choose(release string) (installation, bool) {
	found := installations()
	i := slices.IndexFunc(found, func(i installation) bool { return release == "" || i.release == release })
	if i < 0 {
		return installation{}, false
	}
	return found[i], true
}

func cacheDir() string {
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "rook-ceph")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/root"
	}
	return filepath.Join(home, ".cache", "rook-ceph")
}

// enter mounts what daemons need below the root file system, in a mount
// namespace that ends with the process, and becomes the daemon.
const enter = `
root=$1 data=$2
shift 2
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount --rbind /proc "$root/proc"
mount --bind "$data" "$root/mnt"
exec chroot "$root" "$@"
`

// command is the argument list that runs a program of the installation.
func (i installation) command(data string, args ...string) []string {
	if i.root == "" {
		return args
	}
	prefix := []string{"unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", enter, "sh", i.root, data}
	return append(prefix, args...)
}

// inside is the path of the data directory as the daemons see it.
func (i installation) inside(data string) string {
	if i.root == "" {
		return data
	}
	return "/mnt"
}
