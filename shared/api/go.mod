module github.com/rook-ceph/rook-ceph/shared/api

go 1.26.0
