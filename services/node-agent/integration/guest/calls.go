package guest

import (
	"errors"
	"syscall"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Nothing is the arguments or the answer of a call that has none.
type Nothing struct{}

// AttachArgs asks for a device of a volume.
type AttachArgs struct {
	Volume attach.Volume
	// Mounter is as in a StorageClass.
	Mounter string
}

// FormatArgs asks for a file system on a device whose volume was never formatted.
type FormatArgs struct{ Device, Kind string }

// MountArgs asks for a mount of a device.
type MountArgs struct {
	Device, Where, Kind string
	Flags               []string
}

// GrowArgs asks for all of an image that has grown. Where is where its device is mounted,
// empty for a raw one.
type GrowArgs struct {
	Handle, Where, Kind string
	Size                uint64
}

// FillArgs asks for bytes that follow from a seed.
type FillArgs struct {
	Path string
	Seed uint64
	Size int64
}

// Sum is what a file or device holds.
type Sum struct {
	SHA256 string
	Size   int64
}

// SumArgs asks for the first Size bytes.
type SumArgs struct {
	Path string
	Size int64
}

// WriteArgs asks for a small file.
type WriteArgs struct {
	Path    string
	Content []byte
}

// ShareArgs is a CephFS volume and how to reach its cluster.
type ShareArgs struct {
	Connection api.Connection
	Key        keyring.Key
	Handle     string
	// Where is the staging path, Pod the path that a pod sees.
	Where, Pod string
	ReadOnly   bool
	Flags      []string
	Attributes map[string]string
	// Options are those of the CephCluster.
	Options api.CSICephFSSpec
}

// StatsArgs asks how a published volume is.
type StatsArgs struct{ Handle, Path string }

// Health is the condition of a published volume.
type Health struct {
	Abnormal bool
	Message  string
	Total    int64
}

// Outcome is how a system call ended. Calls that may fail on purpose answer with it,
// since what an error is does not get across as an error.
type Outcome struct {
	Errno   syscall.Errno
	Message string
}

// outcome describes an error.
func outcome(err error) Outcome {
	if err == nil {
		return Outcome{}
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	return Outcome{Errno: errno, Message: err.Error()}
}
