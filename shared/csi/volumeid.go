package csi

import (
	"errors"
	"fmt"
	"strconv"
)

const (
	idVersion   = 1
	uuidLength  = 36
	maxIDLength = 128
	// fixedLength is the length of a handle without its clusterID.
	fixedLength = 4 + 1 + 4 + 1 + 1 + 16 + 1 + uuidLength
)

// ErrMalformedID is returned for text that is no volume handle of this scheme,
// such as the handle of a volume that was provisioned statically.
var ErrMalformedID = errors.New("malformed volume handle")

// VolumeID names one volume or snapshot of one Kubernetes cluster: which
// CephCluster, which pool or file system, which entry of the journal there.
type VolumeID struct {
	// ClusterID is the namespace of the CephCluster, or the hash of a RADOS namespace.
	ClusterID string
	// PoolID is the id of the pool that holds image and journal entry; for
	// CephFS it is the id of the file system.
	PoolID int64
	// UUID names the journal entry.
	UUID string
}

// String returns the handle: 0001-<length>-<clusterID>-<pool id>-<uuid>, all
// numbers in hexadecimal.
func (v VolumeID) String() string {
	return fmt.Sprintf("%04x-%04x-%s-%016x-%s", idVersion, len(v.ClusterID), v.ClusterID, uint64(v.PoolID), v.UUID)
}

// Valid tells whether the handle can be read back by every consumer.
func (v VolumeID) Valid() error {
	switch {
	case v.ClusterID == "":
		return fmt.Errorf("%w: no clusterID", ErrMalformedID)
	case len(v.ClusterID)+fixedLength > maxIDLength:
		return fmt.Errorf("%w: clusterID %q is longer than %d bytes", ErrMalformedID, v.ClusterID, maxIDLength-fixedLength)
	case !isUUID(v.UUID):
		return fmt.Errorf("%w: %q is no uuid", ErrMalformedID, v.UUID)
	case v.PoolID < 0:
		return fmt.Errorf("%w: pool id %d", ErrMalformedID, v.PoolID)
	}
	return nil
}

// ParseVolumeID reads a handle. It is strict: String of the result is the text.
func ParseVolumeID(text string) (VolumeID, error) {
	malformed := func(what string) (VolumeID, error) {
		return VolumeID{}, fmt.Errorf("%w: %q: %s", ErrMalformedID, text, what)
	}
	if len(text) <= fixedLength || len(text) > maxIDLength {
		return malformed("length")
	}
	if text[:5] != fmt.Sprintf("%04x-", idVersion) {
		return malformed("version")
	}
	length, err := strconv.ParseUint(text[5:9], 16, 16)
	if err != nil || text[9] != '-' || int(length) != len(text)-fixedLength {
		return malformed("length of the clusterID")
	}
	rest := text[10+length:]
	if rest[0] != '-' || rest[17] != '-' {
		return malformed("separator")
	}
	pool, err := strconv.ParseUint(rest[1:17], 16, 63)
	if err != nil {
		return malformed("pool id")
	}
	id := VolumeID{ClusterID: text[10 : 10+length], PoolID: int64(pool), UUID: rest[18:]}
	if err := id.Valid(); err != nil {
		return VolumeID{}, err
	}
	if id.String() != text {
		return malformed("hexadecimal digits")
	}
	return id, nil
}

func isUUID(text string) bool {
	if len(text) != uuidLength {
		return false
	}
	for i, c := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}
