// Package ops speaks to the gateways of an object store: the Admin Ops API for
// users, buckets and quotas, and S3 for what only the owner of a bucket may do.
// It decides nothing and never meets Kubernetes but to read the keys of a store's
// administrator.
package ops

import (
	_ "github.com/aws/aws-sdk-go-v2/credentials"
	_ "github.com/aws/aws-sdk-go-v2/service/s3"
	_ "github.com/ceph/go-ceph/rgw/admin"
	_ "github.com/go-logr/logr"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/rook-ceph/rook-ceph/shared/apply"
	_ "github.com/rook-ceph/rook-ceph/shared/librados"
	_ "github.com/urfave/cli/v2"
	_ "k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/utils/ptr"
	_ "sigs.k8s.io/controller-runtime"
	_ "sigs.k8s.io/yaml"
)
