package machine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Cable is the name of a machine's only network link.
const Cable = "eth0"

// configureNetwork brings up the machine's links, address and routes, and lets
// it forward the traffic of its pods.
func configureNetwork(spec Spec) error {
	for _, name := range []string{"lo", Cable} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find link %s: %w", name, err)
		}
		if name == Cable {
			address := &netlink.Addr{IPNet: prefix(spec.Address)}
			if err := netlink.AddrAdd(link, address); err != nil {
				return fmt.Errorf("give %s the address %s: %w", name, spec.Address, err)
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring up link %s: %w", name, err)
		}
	}
	routes := append([]Route{{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: spec.Gateway}}, spec.Routes...)
	for _, route := range routes {
		err := netlink.RouteAdd(&netlink.Route{Dst: prefix(route.To), Gw: route.Via.AsSlice()})
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("route %s via %s: %w", route.To, route.Via, err)
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("forward the traffic of pods: %w", err)
	}
	return nil
}

func prefix(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
