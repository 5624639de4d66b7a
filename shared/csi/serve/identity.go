package serve

import (
	"context"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Role is what a process serves beside the identity service.
type Role int

const (
	// Node serves volumes on one node.
	Node Role = iota
	// Controller creates, deletes and attaches volumes.
	Controller
)

// Identity answers who the driver is. Ready reports whether it can serve; nil
// means always.
type Identity struct {
	csipb.UnimplementedIdentityServer
	Driver  string
	Version string
	Role    Role
	Ready   func(context.Context) bool
}

// GetPluginInfo returns the name and version of the driver.
func (i *Identity) GetPluginInfo(context.Context, *csipb.GetPluginInfoRequest) (*csipb.GetPluginInfoResponse, error) {
	return &csipb.GetPluginInfoResponse{Name: i.Driver, VendorVersion: i.Version}, nil
}

// GetPluginCapabilities tells whether a controller service answers here.
func (i *Identity) GetPluginCapabilities(
	context.Context, *csipb.GetPluginCapabilitiesRequest,
) (*csipb.GetPluginCapabilitiesResponse, error) {
	response := &csipb.GetPluginCapabilitiesResponse{}
	if i.Role == Controller {
		response.Capabilities = []*csipb.PluginCapability{{
			Type: &csipb.PluginCapability_Service_{Service: &csipb.PluginCapability_Service{
				Type: csipb.PluginCapability_Service_CONTROLLER_SERVICE,
			}},
		}}
	}
	return response, nil
}

// Probe tells whether the driver can serve now.
func (i *Identity) Probe(ctx context.Context, _ *csipb.ProbeRequest) (*csipb.ProbeResponse, error) {
	return &csipb.ProbeResponse{Ready: wrapperspb.Bool(i.Ready == nil || i.Ready(ctx))}, nil
}
