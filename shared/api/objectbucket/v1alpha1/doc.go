// Package v1alpha1 holds the kinds of the public API group objectbucket.io:
// ObjectBucketClaim, with which people ask for a bucket, and ObjectBucket, which
// tells what they got. They stand to each other as PersistentVolumeClaim and
// PersistentVolume do.
//
// The group belongs to no single product. Fields, names and columns are those
// that other provisioners of such buckets use too, so nothing is validated here
// that another provisioner may understand differently.
//
// +kubebuilder:object:generate=true
// +groupName=objectbucket.io
package v1alpha1
