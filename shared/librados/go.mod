module github.com/rook-ceph/rook-ceph/shared/librados

go 1.26.0

require (
	github.com/rook-ceph/rook-ceph/crds v0.0.0
	github.com/rook-ceph/rook-ceph/shared v0.0.0
	github.com/rook-ceph/rook-ceph/shared/api v0.0.0
)

require github.com/ceph/go-ceph v0.40.0 // indirect

replace github.com/rook-ceph/rook-ceph/shared => ../../shared

replace github.com/rook-ceph/rook-ceph/shared/api => ../../shared/api

replace github.com/rook-ceph/rook-ceph/crds => ../../crds
