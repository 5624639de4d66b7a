// Package image makes the images of a cluster's own pods and imports images
// into nodes, without any registry.
//
// It never pulls: an image comes from an OCI layout directory or from a tar
// file of one.
package image
