package subvolumes

import (
	"slices"
	"strconv"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
)

// unit is what sizes are rounded up to: the kernel's client knows no finer quota.
const unit = 4 << 20

// order is a CreateVolume request that was understood.
type order struct {
	clusterID string
	fsName    string
	pool      string
	size      uint64
	limit     int64
	request   journal.Request
	// snapshot and volume are the handle of what is to be copied, or empty.
	snapshot string
	volume   string
	// shallow shows the snapshot itself in place of a copy.
	shallow bool
	source  *csipb.VolumeContentSource
	// attributes are what the PersistentVolume will carry to nodes.
	attributes map[string]string
}

// readOrder checks a CreateVolume request without asking anybody.
func readOrder(request *csipb.CreateVolumeRequest) (order, error) {
	made, err := readVolume(request)
	if err != nil {
		return order{}, err
	}
	return made, made.readSource(request)
}

// readVolume reads all but what the volume is to contain.
func readVolume(request *csipb.CreateVolumeRequest) (order, error) {
	parameters := request.GetParameters()
	switch {
	case request.GetName() == "":
		return order{}, call.Invalid("name is missing")
	case len(request.GetVolumeCapabilities()) == 0:
		return order{}, call.Invalid("volume_capabilities are missing")
	case parameters[csi.ParamClusterID] == "":
		return order{}, call.Invalid("StorageClass parameter `%s` is missing; it must be the namespace of a CephCluster", csi.ParamClusterID)
	case parameters[csi.ParamFSName] == "":
		return order{}, call.Invalid("StorageClass parameter `%s` is missing; it must be the name of a CephFilesystem", csi.ParamFSName)
	}
	for _, capability := range request.GetVolumeCapabilities() {
		if err := checkCapability(capability); err != nil {
			return order{}, err
		}
	}
	if err := checkSupported(request); err != nil {
		return order{}, err
	}
	size, err := call.Size(request.GetCapacityRange(), unit)
	if err != nil {
		return order{}, err
	}
	return order{
		clusterID: parameters[csi.ParamClusterID], fsName: parameters[csi.ParamFSName], pool: parameters[csi.ParamPool], size: size,
		limit: request.GetCapacityRange().GetLimitBytes(),
		request: journal.Request{
			Name: request.GetName(), ClusterID: parameters[csi.ParamClusterID], Group: parameters[csi.ParamSubvolumeGroup],
			ImagePrefix: parameters[csi.ParamVolumeNamePrefix], Owner: parameters[csi.AttributePVCNamespace],
		},
		source:     request.GetVolumeContentSource(),
		attributes: call.Attributes(parameters),
	}, nil
}

// readSource finds out what the new volume is to contain.
func (o *order) readSource(request *csipb.CreateVolumeRequest) error {
	source := request.GetVolumeContentSource()
	o.snapshot, o.volume = source.GetSnapshot().GetSnapshotId(), source.GetVolume().GetVolumeId()
	if source != nil && o.snapshot == "" && o.volume == "" {
		return call.Invalid("volume_content_source names neither a snapshot nor a volume")
	}
	readOnly := !slices.ContainsFunc(request.GetVolumeCapabilities(), func(c *csipb.VolumeCapability) bool { return !reads(c) })
	o.shallow = o.snapshot != "" && readOnly
	text := request.GetParameters()[csi.ParamBackingSnapshot]
	if text == "" {
		return nil
	}
	wanted, err := strconv.ParseBool(text)
	switch {
	case err != nil:
		return call.Invalid("StorageClass parameter `%s` must be true or false, not %q", csi.ParamBackingSnapshot, text)
	case wanted && (o.snapshot == "" || !readOnly):
		return call.Invalid("StorageClass parameter `%s: \"true\"` needs a snapshot as the data source and access mode ReadOnlyMany",
			csi.ParamBackingSnapshot)
	}
	o.shallow = wanted
	return nil
}

func reads(capability *csipb.VolumeCapability) bool {
	switch capability.GetAccessMode().GetMode() {
	case csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY, csipb.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY:
		return true
	}
	return false
}

// checkSupported refuses by name what would otherwise be silently left out.
func checkSupported(request *csipb.CreateVolumeRequest) error {
	parameters := request.GetParameters()
	value := parameters[csi.ParamEncrypted]
	if enabled, err := strconv.ParseBool(value); value != "" && (err != nil || enabled) {
		return call.Invalid("StorageClass parameter `%s: %s` is not supported; remove it", csi.ParamEncrypted, value)
	}
	if parameters[csi.ParamTopologyPools] != "" {
		return call.Invalid("StorageClass parameter `%s` is not supported for CephFS", csi.ParamTopologyPools)
	}
	if mounter := parameters[csi.ParamMounter]; mounter != "" && mounter != csi.MounterKernel && mounter != csi.MounterFUSE {
		return call.Invalid("StorageClass parameter `%s` must be %s or %s, not %q", csi.ParamMounter, csi.MounterKernel, csi.MounterFUSE, mounter)
	}
	for _, name := range []string{csi.ParamKernelMountOptions, csi.ParamFUSEMountOptions} {
		if err := csi.CheckMountOptions(parameters[name]); err != nil {
			return call.Invalid("StorageClass parameter `%s`: %v", name, err)
		}
	}
	if len(request.GetMutableParameters()) > 0 {
		return call.Invalid("mutable parameters are not supported")
	}
	return nil
}

// checkCapability says which uses of a subvolume there are: all but raw block.
func checkCapability(capability *csipb.VolumeCapability) error {
	if capability.GetBlock() != nil {
		return call.Invalid("CephFS has no block volumes; use volumeMode Filesystem, or RBD")
	}
	if capability.GetMount() == nil {
		return call.Invalid("volume capability has no access type")
	}
	if mode := capability.GetAccessMode().GetMode(); mode == csipb.VolumeCapability_AccessMode_UNKNOWN {
		return call.Invalid("access mode %s is not supported", mode)
	}
	return nil
}
