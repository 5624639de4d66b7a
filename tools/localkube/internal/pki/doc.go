// Package pki makes the certificates and keys of a local cluster.
//
// It never reuses an authority between clusters and never writes outside the
// directory that it is given.
package pki
