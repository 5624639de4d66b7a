package volumes

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"

	"github.com/rook-ceph/rook-ceph/services/provisioner/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

const mebibyte = 1 << 20

// order is a CreateVolume request that was understood.
type order struct {
	clusterID string
	pool      string
	request   journal.Request
	layout    storage.Layout
	// context is what the PersistentVolume will carry to nodes.
	context map[string]string
}

// readOrder checks a CreateVolume request without asking anybody.
func readOrder(request *csipb.CreateVolumeRequest) (order, error) {
	parameters := request.GetParameters()
	switch {
	case request.GetName() == "":
		return order{}, call.Invalid("name is missing")
	case len(request.GetVolumeCapabilities()) == 0:
		return order{}, call.Invalid("volume_capabilities are missing")
	case parameters[csi.ParamClusterID] == "":
		return order{}, call.Invalid("StorageClass parameter `%s` is missing; it must be the namespace of a CephCluster", csi.ParamClusterID)
	case parameters[csi.ParamPool] == "":
		return order{}, call.Invalid("StorageClass parameter `%s` is missing; it must be the name of a CephBlockPool", csi.ParamPool)
	}
	for _, capability := range request.GetVolumeCapabilities() {
		if err := checkCapability(capability); err != nil {
			return order{}, err
		}
	}
	if err := checkSupported(request); err != nil {
		return order{}, err
	}
	size, err := call.Size(request.GetCapacityRange(), mebibyte)
	if err != nil {
		return order{}, err
	}
	layout, err := readLayout(parameters)
	if err != nil {
		return order{}, err
	}
	layout.Size = size
	return order{
		clusterID: parameters[csi.ParamClusterID],
		pool:      parameters[csi.ParamPool],
		request: journal.Request{
			Name: request.GetName(), ClusterID: parameters[csi.ParamClusterID],
			ImagePrefix: parameters[csi.ParamVolumeNamePrefix], Owner: parameters[csi.AttributePVCNamespace],
		},
		layout:  layout,
		context: call.Attributes(parameters),
	}, nil
}

// checkSupported refuses by name what would otherwise be silently left out.
func checkSupported(request *csipb.CreateVolumeRequest) error {
	parameters := request.GetParameters()
	if request.GetVolumeContentSource() != nil {
		return call.Invalid("volumes from snapshots or other volumes are not supported yet")
	}
	for _, name := range []string{csi.ParamEncrypted, csi.ParamThickProvision} {
		value := parameters[name]
		if enabled, err := strconv.ParseBool(value); value != "" && (err != nil || enabled) {
			return call.Invalid("StorageClass parameter `%s: %s` is not supported; remove it", name, value)
		}
	}
	if parameters[csi.ParamTopologyPools] != "" {
		return call.Invalid("StorageClass parameter `%s` is not supported; use one StorageClass per pool", csi.ParamTopologyPools)
	}
	if journalPool := parameters[csi.ParamJournalPool]; journalPool != "" && journalPool != parameters[csi.ParamPool] {
		return call.Invalid("StorageClass parameter `%s` must be the same as `%s`", csi.ParamJournalPool, csi.ParamPool)
	}
	if format := parameters[csi.ParamImageFormat]; format != "" && format != "2" {
		return call.Invalid("StorageClass parameter `%s` must be \"2\"", csi.ParamImageFormat)
	}
	if len(request.GetMutableParameters()) > 0 {
		return call.Invalid("mutable parameters are not supported")
	}
	return checkMounter(parameters)
}

// checkMounter refuses a volume that no node could attach later.
func checkMounter(parameters map[string]string) error {
	mounter := parameters[csi.ParamMounter]
	if slices.Contains([]string{"", "rbd", "fuse"}, mounter) || parameters[csi.ParamTryOtherMounters] == "true" {
		return nil
	}
	return call.Invalid("StorageClass parameter `%s: %s` is not supported yet; remove it, use `rbd` or `fuse`, or set `%s: \"true\"`",
		csi.ParamMounter, mounter, csi.ParamTryOtherMounters)
}

// checkCapability says which uses of an RBD image are safe.
func checkCapability(capability *csipb.VolumeCapability) error {
	if capability.GetBlock() == nil && capability.GetMount() == nil {
		return call.Invalid("volume capability has no access type")
	}
	switch mode := capability.GetAccessMode().GetMode(); mode {
	case csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER,
		csipb.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER,
		csipb.VolumeCapability_AccessMode_SINGLE_NODE_MULTI_WRITER,
		csipb.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY,
		csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY:
		return nil
	case csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER:
		if capability.GetBlock() != nil {
			return nil
		}
		return call.Invalid("a file system on RBD has one writing node at most; use volumeMode Block, ReadWriteOnce or CephFS")
	default:
		return call.Invalid("access mode %s is not supported", mode)
	}
}

func readLayout(parameters map[string]string) (storage.Layout, error) {
	layout := storage.Layout{DataPool: parameters[csi.ParamDataPool]}
	for _, feature := range strings.Split(parameters[csi.ParamImageFeatures], ",") {
		feature = strings.TrimSpace(feature)
		if feature == "" {
			continue
		}
		if !slices.Contains(features(), feature) {
			return storage.Layout{}, call.Invalid("StorageClass parameter `%s`: unknown feature %q; use some of %s",
				csi.ParamImageFeatures, feature, strings.Join(features(), ", "))
		}
		layout.Features = append(layout.Features, feature)
	}
	if err := checkFeatures(layout.Features); err != nil {
		return storage.Layout{}, err
	}
	for name, into := range map[string]*uint64{
		csi.ParamStripeUnit: &layout.StripeUnit, csi.ParamStripeCount: &layout.StripeCount, csi.ParamObjectSize: &layout.ObjectSize,
	} {
		text := parameters[name]
		if text == "" {
			continue
		}
		number, err := strconv.ParseUint(text, 10, 63)
		if err != nil || number == 0 {
			return storage.Layout{}, call.Invalid("StorageClass parameter `%s` must be a positive number, not %q", name, text)
		}
		*into = number
	}
	if (layout.StripeUnit == 0) != (layout.StripeCount == 0) {
		return storage.Layout{}, call.Invalid("StorageClass parameters `%s` and `%s` must be set together", csi.ParamStripeUnit, csi.ParamStripeCount)
	}
	if bits.OnesCount64(layout.ObjectSize) > 1 {
		return storage.Layout{}, call.Invalid("StorageClass parameter `%s` must be a power of two", csi.ParamObjectSize)
	}
	return layout, nil
}

func features() []string {
	return []string{"layering", "exclusive-lock", "object-map", "fast-diff", "deep-flatten", "journaling", "striping"}
}

// checkFeatures finds missing prerequisites; librbd would leave features out.
func checkFeatures(list []string) error {
	for feature, needs := range map[string]string{
		"object-map": "exclusive-lock", "fast-diff": "object-map", "journaling": "exclusive-lock",
	} {
		if slices.Contains(list, feature) && !slices.Contains(list, needs) {
			return call.Invalid("StorageClass parameter `%s`: %s needs %s", csi.ParamImageFeatures, feature, needs)
		}
	}
	return nil
}
