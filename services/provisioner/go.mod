module github.com/rook-ceph/rook-ceph/services/provisioner

go 1.26.0

require (
	github.com/container-storage-interface/spec v1.12.0
	github.com/go-logr/logr v1.4.3
	github.com/rook-ceph/rook-ceph/crds v0.0.0
	github.com/rook-ceph/rook-ceph/shared v0.0.0
	github.com/rook-ceph/rook-ceph/shared/api v0.0.0
	github.com/rook-ceph/rook-ceph/shared/librados v0.0.0
	github.com/urfave/cli/v2 v2.27.7
	google.golang.org/grpc v1.82.0
	k8s.io/api v0.36.4
	k8s.io/apimachinery v0.36.4
	k8s.io/client-go v0.36.4
	k8s.io/klog/v2 v2.140.0
	k8s.io/utils v0.0.0-20260707023825-cf1189d6abe3
	sigs.k8s.io/controller-runtime v0.24.1
	sigs.k8s.io/sig-storage-lib-external-provisioner/v13 v13.0.0
)

replace github.com/rook-ceph/rook-ceph/shared => ../../shared

replace github.com/rook-ceph/rook-ceph/shared/api => ../../shared/api

replace github.com/rook-ceph/rook-ceph/crds => ../../crds

replace github.com/rook-ceph/rook-ceph/shared/librados => ../../shared/librados
