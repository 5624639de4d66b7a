package layout

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	// MaxNodes is how many nodes a cluster may have.
	MaxNodes = 3
	// MaxDisks is how many disks a node may have.
	MaxDisks = 20
	// MaxSlots is how many clusters fit on one machine.
	MaxSlots = 8
	// AttachPool is how many free loop devices each node has for volumes.
	AttachPool = 32

	// ControlPlane is the name of the machine that runs the API server.
	ControlPlane = "control"

	loopsPerNode = 100
	firstLoop    = 100
)

// Cluster is what one local cluster is made of. It is kept as JSON in the
// cluster's state directory.
type Cluster struct {
	Name       string     `json:"name"`
	Slot       int        `json:"slot"`
	State      string     `json:"state"`
	Network    netip.Addr `json:"network"`
	Nodes      int        `json:"nodes"`
	Disks      int        `json:"disks"`
	DiskBytes  int64      `json:"diskBytes"`
	Zones      bool       `json:"zones,omitempty"`
	Audit      bool       `json:"audit,omitempty"`
	Kubeconfig string     `json:"kubeconfig"`
}

// DefaultNetwork returns the /16 that the clusters of a slot use when the user
// names none.
func DefaultNetwork(slot int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(180 + slot), 0, 0})
}

// Validate returns what a user must change before the cluster can be made.
func (c Cluster) Validate() error {
	switch {
	case !regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`).MatchString(c.Name):
		return fmt.Errorf("name %q: use up to 20 lower-case letters, digits and dashes, beginning with a letter", c.Name)
	case c.Nodes < 1 || c.Nodes > MaxNodes:
		return fmt.Errorf("nodes %d: use 1 to %d", c.Nodes, MaxNodes)
	case c.Disks < 0 || c.Disks > MaxDisks:
		return fmt.Errorf("disks %d: use 0 to %d", c.Disks, MaxDisks)
	case c.Disks > 0 && c.DiskBytes < 64<<20:
		return fmt.Errorf("disk size %d bytes: use at least 64Mi", c.DiskBytes)
	case c.Slot < 0 || c.Slot >= MaxSlots:
		return fmt.Errorf("slot %d: there are %d places for clusters on one machine; remove one with `localkube down --name NAME`", c.Slot, MaxSlots)
	case !isFirst(c.Network):
		return fmt.Errorf("network %s: use the first address of an IPv4 /16, such as 10.180.0.0", c.Network)
	}
	return nil
}

// isFirst tells whether an address is the first one of an IPv4 /16.
func isFirst(address netip.Addr) bool {
	if !address.Is4() {
		return false
	}
	bytes := address.As4()
	return bytes[2] == 0 && bytes[3] == 0
}

// address returns the address third.fourth of the cluster's network.
func (c Cluster) address(third, fourth int) netip.Addr {
	base := c.Network.As4()
	return netip.AddrFrom4([4]byte{base[0], base[1], byte(third), byte(fourth)})
}

// Whole returns the network that holds every address of the cluster.
func (c Cluster) Whole() netip.Prefix { return netip.PrefixFrom(c.address(0, 0), 16) }

// Machines returns the network of the machines and the host's bridge.
func (c Cluster) Machines() netip.Prefix { return netip.PrefixFrom(c.address(0, 0), 24) }

// Pods returns the network of all pods.
func (c Cluster) Pods() netip.Prefix { return netip.PrefixFrom(c.address(64, 0), 18) }

// Services returns the network of Service addresses.
func (c Cluster) Services() netip.Prefix { return netip.PrefixFrom(c.address(128, 0), 20) }

// NodePods returns the network of the pods of a node, counted from 1.
func (c Cluster) NodePods(node int) netip.Prefix {
	return netip.PrefixFrom(c.address(64+node, 0), 24)
}

// HostAddress returns the host's address on the bridge.
func (c Cluster) HostAddress() netip.Addr { return c.address(0, 1) }

// ControlAddress returns the address of the API server.
func (c Cluster) ControlAddress() netip.Addr { return c.address(0, 2) }

// NodeAddress returns the address of a node, counted from 1.
func (c Cluster) NodeAddress(node int) netip.Addr { return c.address(0, 10+node) }

// KubernetesService returns the address of the Service kubernetes.default.
func (c Cluster) KubernetesService() netip.Addr { return c.address(128, 1) }

// DNSService returns the address of the cluster's DNS Service.
func (c Cluster) DNSService() netip.Addr { return c.address(128, 10) }

// Server returns the URL of the API server.
func (c Cluster) Server() string { return "https://" + c.ControlAddress().String() + ":6443" }

// Bridge returns the name of the host's bridge.
func (c Cluster) Bridge() string { return bridgePrefix + strconv.Itoa(c.Slot) }

const bridgePrefix = "rkl"

// BridgeSlot returns the slot of a bridge's name; it is false for any other
// link.
func BridgeSlot(link string) (int, bool) {
	digits, ok := strings.CutPrefix(link, bridgePrefix)
	slot, err := strconv.Atoi(digits)
	return slot, ok && err == nil
}

// HostLink returns the host's end of a machine's network cable.
func (c Cluster) HostLink(machine string) string {
	if machine == ControlPlane {
		return c.Bridge() + "c"
	}
	return c.Bridge() + "n" + machine[len(nodePrefix):]
}

const nodePrefix = "node"

// Node returns the name of a node, counted from 1.
func Node(number int) string { return nodePrefix + strconv.Itoa(number) }

// NodeNumber returns the number in a node's name.
func (c Cluster) NodeNumber(name string) (int, error) {
	for number := 1; number <= c.Nodes; number++ {
		if Node(number) == name {
			return number, nil
		}
	}
	return 0, fmt.Errorf("find node %q: cluster %s has %s to %s", name, c.Name, Node(1), Node(c.Nodes))
}

// MachineNames returns the control plane and every node.
func (c Cluster) MachineNames() []string {
	names := []string{ControlPlane}
	for number := 1; number <= c.Nodes; number++ {
		names = append(names, Node(number))
	}
	return names
}

// VolumeCgroup is where node-agent puts the programs that serve volumes, below each
// hierarchy. All clusters of a host share it.
const VolumeCgroup = "/rook-ceph-volumes"

// Cgroup returns the path of the cluster's cgroup below each hierarchy.
func (c Cluster) Cgroup() string { return "/rook-ceph-local-" + c.Name }

// MachineCgroup returns the path of a machine's cgroup below each hierarchy.
func (c Cluster) MachineCgroup(machine string) string {
	return filepath.Join(c.Cgroup(), machine)
}

// MachineDir returns the directory that holds all of a machine.
func (c Cluster) MachineDir(machine string) string {
	return filepath.Join(c.State, "machines", machine)
}

// MachineRoot returns the directory that a machine sees as its root.
func (c Cluster) MachineRoot(machine string) string {
	return filepath.Join(c.MachineDir(machine), "root")
}

// PKI returns the directory of certificates and keys.
func (c Cluster) PKI() string { return filepath.Join(c.State, "pki") }

// File returns the path of the description of the cluster.
func (c Cluster) File() string { return filepath.Join(c.State, "cluster.json") }

// DiskFile returns the file behind a disk of a node, both counted from 1.
func (c Cluster) DiskFile(node, disk int) string {
	return filepath.Join(c.State, "disks", fmt.Sprintf("%s-disk%d.img", Node(node), disk))
}

// DiskLoop returns the number of the loop device of a disk of a node, both
// counted from 1.
func (c Cluster) DiskLoop(node, disk int) int { return c.nodeLoops(node) + disk - 1 }

// AttachLoops returns the numbers of the loop devices that a node keeps free
// for volumes.
func (c Cluster) AttachLoops(node int) []int {
	numbers := make([]int, AttachPool)
	for i := range numbers {
		numbers[i] = c.nodeLoops(node) + MaxDisks + i
	}
	return numbers
}

// OwnsLoop is true when the number lies in the range of this cluster.
func (c Cluster) OwnsLoop(number int) bool {
	first := c.nodeLoops(1)
	return number >= first && number < first+MaxNodes*loopsPerNode
}

func (c Cluster) nodeLoops(node int) int {
	return firstLoop + c.Slot*MaxNodes*loopsPerNode + (node-1)*loopsPerNode
}
