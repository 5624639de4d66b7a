package layout_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

func cluster(slot int) layout.Cluster {
	return layout.Cluster{
		Name: "default", Slot: slot, State: "/state/default", Network: layout.DefaultNetwork(slot),
		Nodes: 3, Disks: 3, DiskBytes: 10 << 30,
	}
}

func TestAddressesOfOneClusterNeverOverlap(t *testing.T) {
	c := cluster(0)
	ranges := []netip.Prefix{c.Machines(), c.Services()}
	for node := 1; node <= layout.MaxNodes; node++ {
		if !c.Pods().Overlaps(c.NodePods(node)) {
			t.Errorf("pods of node %d (%s) lie outside %s", node, c.NodePods(node), c.Pods())
		}
		if !c.Machines().Contains(c.NodeAddress(node)) {
			t.Errorf("address %s of node %d lies outside %s", c.NodeAddress(node), node, c.Machines())
		}
		ranges = append(ranges, c.NodePods(node))
	}
	for i, one := range ranges {
		if !c.Whole().Overlaps(one) || c.Whole().Bits() > one.Bits() {
			t.Errorf("%s lies outside %s", one, c.Whole())
		}
		for _, other := range ranges[i+1:] {
			if one.Overlaps(other) {
				t.Errorf("%s overlaps %s", one, other)
			}
		}
	}
	if !c.Services().Contains(c.KubernetesService()) || !c.Services().Contains(c.DNSService()) {
		t.Errorf("well-known Services lie outside %s", c.Services())
	}
}

func TestClustersInDifferentSlotsShareNothing(t *testing.T) {
	one, other := cluster(0), cluster(1)
	if one.Whole().Overlaps(other.Whole()) {
		t.Errorf("networks %s and %s overlap", one.Whole(), other.Whole())
	}
	if one.Bridge() == other.Bridge() || one.HostLink("node1") == other.HostLink("node1") {
		t.Errorf("links of two slots have the same name %s", one.Bridge())
	}
	for node := 1; node <= layout.MaxNodes; node++ {
		for _, loop := range append(one.AttachLoops(node), one.DiskLoop(node, 1), one.DiskLoop(node, layout.MaxDisks)) {
			if other.OwnsLoop(loop) || !one.OwnsLoop(loop) {
				t.Errorf("loop device %d of slot 0: slot 0 owns it: %t, slot 1 owns it: %t", loop, one.OwnsLoop(loop), other.OwnsLoop(loop))
			}
		}
	}
}

func TestLoopDevicesAreGivenOnce(t *testing.T) {
	c := cluster(0)
	seen := map[int]int{}
	for node := 1; node <= layout.MaxNodes; node++ {
		loops := c.AttachLoops(node)
		for number := 1; number <= layout.MaxDisks; number++ {
			loops = append(loops, c.DiskLoop(node, number))
		}
		for _, loop := range loops {
			if owner, ok := seen[loop]; ok {
				t.Errorf("loop device %d belongs to node %d and node %d", loop, owner, node)
			}
			seen[loop] = node
		}
	}
}

func TestLinkNamesFitTheKernel(t *testing.T) {
	c := cluster(layout.MaxSlots - 1)
	for _, machine := range c.MachineNames() {
		if name := c.HostLink(machine); len(name) > 15 {
			t.Errorf("link name %s has %d letters; the kernel allows 15", name, len(name))
		}
	}
}

func TestValidateNamesWhatToChange(t *testing.T) {
	cases := map[string]struct {
		change func(*layout.Cluster)
		want   string
	}{
		"a good cluster":               {func(*layout.Cluster) {}, ""},
		"a name with a slash":          {func(c *layout.Cluster) { c.Name = "a/b" }, "name"},
		"no nodes":                     {func(c *layout.Cluster) { c.Nodes = 0 }, "nodes 0"},
		"too many nodes":               {func(c *layout.Cluster) { c.Nodes = 4 }, "nodes 4"},
		"too many disks":               {func(c *layout.Cluster) { c.Disks = 21 }, "disks 21"},
		"disks too small for an OSD":   {func(c *layout.Cluster) { c.DiskBytes = 1 << 20 }, "64Mi"},
		"no disks need no size":        {func(c *layout.Cluster) { c.Disks, c.DiskBytes = 0, 0 }, ""},
		"a network that is no /16":     {func(c *layout.Cluster) { c.Network = netip.MustParseAddr("10.1.2.0") }, "network 10.1.2.0"},
		"no place for a ninth":         {func(c *layout.Cluster) { c.Slot = 8 }, "slot 8"},
		"an address of the other kind": {func(c *layout.Cluster) { c.Network = netip.MustParseAddr("fd00::") }, "IPv4"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c := cluster(0)
			test.change(&c)
			err := c.Validate()
			if (test.want == "") != (err == nil) {
				t.Fatalf("Validate() = %v, want mention of %q", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("Validate() = %v, want mention of %q", err, test.want)
			}
		})
	}
}

func TestNodeNumberKnowsOnlyNodesOfTheCluster(t *testing.T) {
	c := cluster(0)
	c.Nodes = 2
	if number, err := c.NodeNumber("node2"); err != nil || number != 2 {
		t.Errorf("NodeNumber(node2) = %d, %v", number, err)
	}
	for _, name := range []string{"node3", "node0", "control", ""} {
		if number, err := c.NodeNumber(name); err == nil {
			t.Errorf("NodeNumber(%q) = %d, want an error", name, number)
		}
	}
}
