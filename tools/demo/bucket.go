package main

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const bucketName = "bucket-demo"

// bucketScript finds the address and the keys of its bucket in its environment, as
// any application does, and never names a key in an argument.
const bucketScript = `cd "$(mktemp -d)"
cat > s3cfg <<EOF
access_key = $AWS_ACCESS_KEY_ID
secret_key = $AWS_SECRET_ACCESS_KEY
host_base = $BUCKET_HOST:$BUCKET_PORT
host_bucket = $BUCKET_HOST:$BUCKET_PORT
use_https = False
EOF
head -c 8M /dev/urandom > blob
s3cmd -c s3cfg --quiet put blob "s3://$BUCKET_NAME/blob"
s3cmd -c s3cfg --quiet get "s3://$BUCKET_NAME/blob" copy
cmp blob copy && echo "fetched from s3://$BUCKET_NAME what was stored: $(sha256sum < copy)" && touch /tmp/ok
exec sleep infinity`

// bucketClaim asks the store's class for a bucket. Its ConfigMap and its Secret
// have the name of the claim.
func bucketClaim() *objectbucket.ObjectBucketClaim {
	return &objectbucket.ObjectBucketClaim{
		ObjectMeta: metav1.ObjectMeta{Name: bucketName, Namespace: workloadNamespace},
		Spec:       objectbucket.ObjectBucketClaimSpec{StorageClassName: local.BucketClass, GenerateBucketName: bucketName},
	}
}

func bucketPod(image string) *corev1.Pod {
	user := container("user", image, bucketScript)
	user.ReadinessProbe = done()
	named := corev1.LocalObjectReference{Name: bucketName}
	user.EnvFrom = []corev1.EnvFromSource{
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named}},
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named}},
	}
	return pod(bucketName, user)
}

func (in *installation) awaitObjectStore(ctx context.Context) error {
	key := client.ObjectKey{Namespace: in.Namespace, Name: local.ObjectStore}
	return await(ctx, in, key, &api.CephObjectStoreList{}, func(store *api.CephObjectStore) (bool, string) {
		if store.Status == nil {
			return false, ""
		}
		return store.Status.Phase == api.PhaseReady, string(store.Status.Phase)
	})
}

func (in *installation) awaitBucket(ctx context.Context) error {
	key := client.ObjectKey{Namespace: workloadNamespace, Name: bucketName}
	return await(ctx, in, key, &objectbucket.ObjectBucketClaimList{}, func(claim *objectbucket.ObjectBucketClaim) (bool, string) {
		return claim.Status.Phase == objectbucket.ObjectBucketClaimBound, string(claim.Status.Phase)
	})
}

func buckets(ctx context.Context, kube client.Client, _ string, out io.Writer) error {
	claims := objectbucket.ObjectBucketClaimList{}
	if err := kube.List(ctx, &claims, client.InNamespace(workloadNamespace)); err != nil {
		return fmt.Errorf("list bucket claims: %w", err)
	}
	for _, claim := range claims.Items {
		row(out, "\nBucket "+claim.Namespace+"/"+claim.Name, string(claim.Status.Phase), claim.Status.BucketName)
	}
	return nil
}
