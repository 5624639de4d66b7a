// Package claim keeps the buckets that ObjectBucketClaims ask for: the bucket and the
// user that owns it in an object store, an ObjectBucket that tells of both, and next
// to the claim a Secret with the user's keys and a ConfigMap with the bucket's address.
//
// Claims are in all namespaces, or in those that the installation names, and so are
// their Secrets and ConfigMaps. The service may get, create, patch and delete these
// there, but neither list nor watch them: it could else read every Secret of the
// Kubernetes cluster. They are therefore read one by one, past the cache, when something
// about a claim has changed, and one that somebody deletes comes back with the next
// review, after about ten minutes.
//
// The ObjectBucket is written before anything is made in the store, and goes last:
// what it names is all that a claim may ever delete. A bucket is emptied in slices
// by few of the workers, so that a large one holds up no other claim, and only while
// its owner is the user that the ObjectBucket names.
//
// A bucket of somebody else is never taken, never deleted, and of its policy only our
// own statement is changed. No spec is written: other provisioners fill
// spec.bucketName and spec.objectBucketName of a claim; here its status and its
// ConfigMap have the names. Claims of another provisioner's class are left alone.
package claim
