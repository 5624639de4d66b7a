// Package ops speaks to the gateways of an object store: the Admin Ops API for
// users, buckets and quotas, and S3 for what only the owner of a bucket may do.
//
// A request has one deadline and is not repeated here: whoever asked asks again
// in a later pass. Keys travel in the query of Admin Ops requests, so that no
// error of this package carries a URL or a reply; what a gateway refused is told by
// its code alone.
//
// It decides nothing, and never meets Kubernetes but to read the keys of a store's
// administrator and the certificates to trust.
package ops
