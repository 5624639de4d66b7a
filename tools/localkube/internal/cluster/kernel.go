package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

// releaseKernelRBD unmaps the kernel's RBD devices whose client has an address
// of the cluster. They outlive the node that mapped them.
func releaseKernelRBD(cluster layout.Cluster) error {
	const bus = "/sys/bus/rbd"
	clients, err := filepath.Glob(bus + "/devices/*/client_addr")
	if err != nil {
		return fmt.Errorf("list RBD devices: %w", err)
	}
	var failures []error
	for _, file := range clients {
		content, err := os.ReadFile(file)
		if err != nil || !cluster.Whole().Contains(clientAddress(string(content))) {
			continue
		}
		id := filepath.Base(filepath.Dir(file))
		if err := os.WriteFile(bus+"/remove_single_major", []byte(id+" force"), 0o200); err != nil {
			failures = append(failures, fmt.Errorf("unmap RBD device %s: %w", id, err))
		}
	}
	return errors.Join(failures...)
}

// clientAddress reads an address as the kernel writes it: ip:port/nonce. It is
// invalid when there is none.
func clientAddress(text string) netip.Addr {
	address, _, _ := strings.Cut(strings.TrimSpace(text), "/")
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}
	}
	return parsed.Addr()
}

// mountsBelow returns the mount points below a directory, in the order in
// which they were mounted.
func mountsBelow(mountinfo, directory string) ([]string, error) {
	content, err := os.ReadFile(mountinfo)
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var targets []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && (fields[4] == directory || strings.HasPrefix(fields[4], directory+"/")) {
			targets = append(targets, fields[4])
		}
	}
	return targets, nil
}

// releaseHolders removes the device-mapper devices that lie on a loop device,
// such as encrypted OSDs and logical volumes. They outlive their node.
func releaseHolders(number int) error {
	holders, err := filepath.Glob("/sys/block/loop" + strconv.Itoa(number) + "/holders/dm-*")
	if err != nil {
		return fmt.Errorf("list holders of loop device %d: %w", number, err)
	}
	var failures []error
	for _, holder := range holders {
		name, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(holder), "dm/name"))
		if err != nil {
			continue
		}
		said, err := exec.Command("dmsetup", "remove", "--force", strings.TrimSpace(string(name))).CombinedOutput()
		if err != nil {
			failures = append(failures, fmt.Errorf("remove %s from loop device %d: %w: %s", strings.TrimSpace(string(name)), number, err, said))
		}
	}
	return errors.Join(failures...)
}
