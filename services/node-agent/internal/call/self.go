package call

import (
	"context"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
)

// Self answers what both node services say of themselves.
type Self struct {
	csipb.UnimplementedNodeServer
	// Node is the name of this Kubernetes node.
	Node string
}

// NodeGetInfo returns the name of the node.
func (s *Self) NodeGetInfo(context.Context, *csipb.NodeGetInfoRequest) (*csipb.NodeGetInfoResponse, error) {
	return &csipb.NodeGetInfoResponse{NodeId: s.Node}, nil
}

// NodeGetCapabilities lists what both node services do.
func (*Self) NodeGetCapabilities(
	context.Context, *csipb.NodeGetCapabilitiesRequest,
) (*csipb.NodeGetCapabilitiesResponse, error) {
	return Capabilities(), nil
}

// Capabilities are those of both node services and more.
func Capabilities(more ...csipb.NodeServiceCapability_RPC_Type) *csipb.NodeGetCapabilitiesResponse {
	response := &csipb.NodeGetCapabilitiesResponse{}
	for _, kind := range append([]csipb.NodeServiceCapability_RPC_Type{
		csipb.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csipb.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csipb.NodeServiceCapability_RPC_VOLUME_CONDITION,
		csipb.NodeServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	}, more...) {
		response.Capabilities = append(response.Capabilities, &csipb.NodeServiceCapability{
			Type: &csipb.NodeServiceCapability_Rpc{Rpc: &csipb.NodeServiceCapability_RPC{Type: kind}},
		})
	}
	return response
}
