// Package call holds what every call of a CSI controller service needs: the
// connection to the cluster that a clusterID means, the size of a new volume, and
// the gRPC code of an error. It knows nothing about images or
// subvolumes.
package call

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/link"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Clusters knows the CephClusters by clusterID.
type Clusters interface {
	Connection(ctx context.Context, clusterID string) (api.Connection, error)
	// ProvisionerKey is asked where a request carries no Secret.
	ProvisionerKey(ctx context.Context, clusterID string) (keyring.Key, error)
}

// Connect reaches a cluster as the identity in secrets, or as the cluster's
// provisioner when there are none.
func Connect(
	ctx context.Context, known Clusters, connections *link.Connections, clusterID string, secrets map[string]string,
) (storage.Cluster, error) {
	connection, err := known.Connection(ctx, clusterID)
	if err != nil {
		return nil, err
	}
	var key keyring.Key
	if len(secrets) == 0 {
		key, err = known.ProvisionerKey(ctx, clusterID)
	} else {
		key, err = csi.Credentials(secrets)
	}
	if err != nil {
		return nil, err
	}
	cluster, err := connections.Get(ctx, connection, key)
	return cluster, link.Explain(err, key.Entity)
}

// Invalid is the error of a request that only its sender can correct.
func Invalid(format string, args ...any) error {
	return status.Error(codes.InvalidArgument, fmt.Sprintf(format, args...))
}

// Coded gives an error its gRPC code.
func Coded(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(code(err), err.Error())
}

func code(err error) codes.Code {
	for _, known := range []struct {
		code   codes.Code
		causes []error
	}{
		{codes.InvalidArgument, []error{ceph.ErrInvalid, csi.ErrNoCredentials}},
		{codes.FailedPrecondition, []error{clusters.ErrUnknown, clusters.ErrNoSecret}},
		{codes.NotFound, []error{ceph.ErrNotFound}},
		{codes.Unauthenticated, []error{ceph.ErrDenied}},
		{codes.FailedPrecondition, []error{journal.ErrHeld}},
		{codes.Aborted, []error{ceph.ErrBusy}},
		{codes.Unavailable, []error{ceph.ErrUnreachable, ceph.ErrAgain}},
		{codes.DeadlineExceeded, []error{context.DeadlineExceeded}},
		{codes.Canceled, []error{context.Canceled}},
	} {
		for _, cause := range known.causes {
			if errors.Is(err, cause) {
				return known.code
			}
		}
	}
	return codes.Internal
}

// Capabilities is the answer of a controller service that can do these.
func Capabilities(kinds ...csipb.ControllerServiceCapability_RPC_Type) *csipb.ControllerGetCapabilitiesResponse {
	response := &csipb.ControllerGetCapabilitiesResponse{}
	for _, kind := range kinds {
		response.Capabilities = append(response.Capabilities, &csipb.ControllerServiceCapability{
			Type: &csipb.ControllerServiceCapability_Rpc{Rpc: &csipb.ControllerServiceCapability_RPC{Type: kind}},
		})
	}
	return response
}

// defaultSize is for requests that name none.
const defaultSize = 1 << 30

// Size is the size of a new volume: what is required, rounded up to whole units.
func Size(limits *csipb.CapacityRange, unit int64) (uint64, error) {
	required, limit := limits.GetRequiredBytes(), limits.GetLimitBytes()
	switch {
	case required < 0 || limit < 0 || required > math.MaxInt64-unit:
		return 0, status.Error(codes.OutOfRange, "capacity_range is out of range")
	case limit > 0 && required > limit:
		return 0, Invalid("required_bytes must not be more than limit_bytes")
	case required == 0 && limit > 0:
		required = min(limit, defaultSize)
	case required == 0:
		required = defaultSize
	}
	size := max(unit, (required+unit-1)/unit*unit)
	if limit > 0 && size > limit {
		return 0, status.Errorf(codes.OutOfRange, "sizes are whole %d MiB; %d bytes are more than limit_bytes %d", unit>>20, size, limit)
	}
	return uint64(size), nil
}

// Expansion reads what a volume is to grow to, in whole units.
func Expansion(request *csipb.ControllerExpandVolumeRequest, unit int64) (uint64, error) {
	switch {
	case request.GetVolumeId() == "":
		return 0, Invalid("volume_id is missing")
	case request.GetCapacityRange() == nil:
		return 0, Invalid("capacity_range is missing")
	}
	return Size(request.GetCapacityRange(), unit)
}

// Attributes keeps the parameters that are meant for the driver: what the
// PersistentVolume will carry to nodes.
func Attributes(parameters map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range parameters {
		if !strings.HasPrefix(name, csi.ParamPrefix) {
			kept[name] = value
		}
	}
	return kept
}
