module github.com/rook-ceph/rook-ceph/services/provisioner

go 1.26.0

require (
	github.com/container-storage-interface/spec v1.12.0
	github.com/go-logr/logr v1.4.3
	github.com/rook-ceph/rook-ceph/crds v0.0.0
	github.com/rook-ceph/rook-ceph/shared v0.0.0
	github.com/rook-ceph/rook-ceph/shared/api v0.0.0
	github.com/rook-ceph/rook-ceph/shared/librados v0.0.0
	google.golang.org/grpc v1.82.0
)

replace github.com/rook-ceph/rook-ceph/shared => ../../shared

replace github.com/rook-ceph/rook-ceph/shared/api => ../../shared/api

replace github.com/rook-ceph/rook-ceph/crds => ../../crds

replace github.com/rook-ceph/rook-ceph/shared/librados => ../../shared/librados
