module github.com/rook-ceph/rook-ceph/tools/pinned/pause

go 1.26.0
