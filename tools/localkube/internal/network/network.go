package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
)

// CheckFree returns an error when another link of the host uses addresses of
// the cluster's network.
func CheckFree(cluster layout.Cluster) error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	for _, link := range links {
		if link.Attrs().Name == cluster.Bridge() {
			continue
		}
		addresses, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil {
			return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
		}
		for _, address := range addresses {
			if found, ok := netip.AddrFromSlice(address.IP.To4()); ok && cluster.Whole().Contains(found) {
				return fmt.Errorf("network %s is in use: link %s has the address %s; choose another with --network", cluster.Whole(), link.Attrs().Name, found)
			}
		}
	}
	return nil
}

// Owners returns the state directory of every cluster that has a bridge on
// this host, by slot. A bridge carries it as its alias.
func Owners() (map[int]string, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	owners := map[int]string{}
	for _, link := range links {
		if slot, ok := layout.BridgeSlot(link.Attrs().Name); ok && link.Type() == "bridge" {
			owners[slot] = link.Attrs().Alias
		}
	}
	return owners, nil
}

// EnsureBridge makes the cluster's bridge and the routes to its pods and, through
// the first node, to its Services.
func EnsureBridge(cluster layout.Cluster) error {
	name := cluster.Bridge()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make bridge %s: %w", name, err)
	}
	bridge, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", name, err)
	}
	if err := netlink.LinkSetAlias(bridge, cluster.State); err != nil {
		return fmt.Errorf("mark bridge %s: %w", name, err)
	}
	address := &netlink.Addr{IPNet: prefix(netip.PrefixFrom(cluster.HostAddress(), cluster.Machines().Bits()))}
	if err := netlink.AddrReplace(bridge, address); err != nil {
		return fmt.Errorf("give %s the address %s: %w", name, cluster.HostAddress(), err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring up bridge %s: %w", name, err)
	}
	if err := admit(name); err != nil {
		return err
	}
	for node := 1; node <= layout.MaxNodes; node++ {
		if err := direct(bridge, cluster.NodePods(node), cluster.NodeAddress(node)); err != nil {
			return err
		}
	}
	return direct(bridge, cluster.Services(), cluster.NodeAddress(1))
}

// direct sends what is for a network to a node.
func direct(bridge netlink.Link, to netip.Prefix, node netip.Addr) error {
	route := &netlink.Route{LinkIndex: bridge.Attrs().Index, Dst: prefix(to), Gw: node.AsSlice()}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("route %s: %w", to, err)
	}
	return nil
}

// Connect lays a cable from the bridge to the network namespace of pid. An old
// cable of the same machine is taken away first.
func Connect(cluster layout.Cluster, name string, pid int) error {
	bridge, err := netlink.LinkByName(cluster.Bridge())
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", cluster.Bridge(), err)
	}
	near := cluster.HostLink(name)
	if err := remove(near); err != nil {
		return err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = near
	attributes.MasterIndex = bridge.Attrs().Index
	cable := &netlink.Veth{LinkAttrs: attributes, PeerName: machine.Cable, PeerNamespace: netlink.NsPid(pid)}
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("lay cable %s: %w", near, err)
	}
	return SetLink(near, true)
}

// SetLink brings a link up or down.
func SetLink(name string, up bool) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	set := netlink.LinkSetDown
	if up {
		set = netlink.LinkSetUp
	}
	if err := set(link); err != nil {
		return fmt.Errorf("switch link %s: %w", name, err)
	}
	return nil
}

// Remove takes away the bridge and what is left of the cables.
func Remove(cluster layout.Cluster) error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	ours := map[string]bool{cluster.Bridge(): true, cluster.HostLink(layout.ControlPlane): true}
	for node := 1; node <= layout.MaxNodes; node++ {
		ours[cluster.HostLink(layout.Node(node))] = true
	}
	failures := []error{expel(cluster.Bridge())}
	for _, link := range links {
		if ours[link.Attrs().Name] {
			failures = append(failures, remove(link.Attrs().Name))
		}
	}
	return errors.Join(failures...)
}

func remove(name string) error {
	link, err := netlink.LinkByName(name)
	var notFound netlink.LinkNotFoundError
	if errors.As(err, &notFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if err := netlink.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove link %s: %w", name, err)
	}
	return nil
}

func prefix(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
