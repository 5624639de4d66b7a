module github.com/rook-ceph/rook-ceph/crds

go 1.26.0
