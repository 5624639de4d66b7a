package share

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// adopt takes a volume over that ceph-csi staged before this driver came: CephFS is mounted
// at the staging path, and serves. All of it is what pods get, also where the volume shows
// a snapshot, which ceph-csi mounts over its parent. It stays without a record, and so is not
// mounted anew: nobody knows what it was mounted with.
func (s *Server) adopt(handle, staging string, attributes map[string]string) error {
	serves, err := s.mounts().Serves(staging)
	if err != nil {
		return err
	}
	layers, err := s.layers(staging)
	if err != nil {
		return err
	}
	if !serves || layers == 0 || layers == 1 && mayShowSnapshot(attributes) {
		return notStaged(handle, staging)
	}
	return nil
}

// layers tells how many mounts are at a path of which that on top is CephFS, dead or alive.
func (s *Server) layers(path string) (int, error) {
	kinds, err := s.mounts().Kinds(path)
	if err != nil || len(kinds) == 0 {
		return 0, err
	}
	switch kinds[len(kinds)-1] {
	case "ceph", "fuse.ceph-fuse":
		return len(kinds), nil
	}
	return 0, nil
}

// mayShowSnapshot tells whether the attributes say, or leave it open, that a volume shows
// a snapshot.
func mayShowSnapshot(attributes map[string]string) bool {
	if attributes[csi.AttributeSnapshotRoot] != "" || showsSnapshot(attributes) {
		return true
	}
	return attributes[csi.AttributeStaticVolume] != "true" && !place{path: attributes[csi.AttributeSubvolumePath]}.whole()
}

func notStaged(handle, staging string) error {
	return status.Errorf(codes.FailedPrecondition, "volume %s is not staged at %s", handle, staging)
}
