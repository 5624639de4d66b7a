package cluster

import (
	"fmt"
	"net/netip"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

// What a new cluster has when the user does not say.
const (
	DefaultNodes     = 1
	DefaultDisks     = 3
	DefaultDiskBytes = 10 << 30
)

// Unset asks for what the cluster has, or for the default of a new one.
const Unset = -1

// Request is what a user asks of `up`. Nodes, Disks and DiskBytes may be
// Unset; an invalid Network, and Zones and Audit when false, ask for nothing.
type Request struct {
	Name       string
	Nodes      int
	Disks      int
	DiskBytes  int64
	Network    netip.Addr
	Zones      bool
	Audit      bool
	Kubeconfig string
}

// Resolve returns the cluster that the request describes: the existing one
// grown to the request, or a new one in a free slot. A running cluster never
// shrinks and never changes what is settled when it is made.
func Resolve(request Request, state string, existing *layout.Cluster, slot int) (layout.Cluster, error) {
	if existing != nil {
		return grow(*existing, request)
	}
	request = request.or(DefaultNodes, DefaultDisks, DefaultDiskBytes)
	network := request.Network
	if !network.IsValid() {
		network = layout.DefaultNetwork(slot)
	}
	cluster := layout.Cluster{
		Name: request.Name, Slot: slot, State: state, Network: network,
		Nodes: request.Nodes, Disks: request.Disks, DiskBytes: request.DiskBytes,
		Zones: request.Zones, Audit: request.Audit, Kubeconfig: request.Kubeconfig,
	}
	return cluster, cluster.Validate()
}

// or fills in what is unset.
func (r Request) or(nodes, disks int, bytes int64) Request {
	if r.Nodes == Unset {
		r.Nodes = nodes
	}
	if r.Disks == Unset {
		r.Disks = disks
	}
	if r.DiskBytes == Unset {
		r.DiskBytes = bytes
	}
	return r
}

func grow(existing layout.Cluster, request Request) (layout.Cluster, error) {
	request = request.or(existing.Nodes, existing.Disks, existing.DiskBytes)
	grown := existing
	grown.Nodes, grown.Disks, grown.Kubeconfig = request.Nodes, request.Disks, request.Kubeconfig
	refuse := func(what string, has, asked any) error {
		return fmt.Errorf("cluster %s has %s %v and cannot change to %v: run `localkube down --name %s` first", existing.Name, what, has, asked, existing.Name)
	}
	switch {
	case request.Nodes < existing.Nodes:
		return grown, refuse("nodes", existing.Nodes, request.Nodes)
	case request.Disks < existing.Disks:
		return grown, refuse("disks", existing.Disks, request.Disks)
	case request.DiskBytes != existing.DiskBytes:
		return grown, refuse("disks of bytes", existing.DiskBytes, request.DiskBytes)
	case request.Network.IsValid() && request.Network != existing.Network:
		return grown, refuse("network", existing.Network, request.Network)
	case request.Zones && !existing.Zones:
		return grown, refuse("zones", existing.Zones, request.Zones)
	case request.Audit && !existing.Audit:
		return grown, refuse("audit log", existing.Audit, request.Audit)
	}
	return grown, grown.Validate()
}
