// Package daemons knows the metadata servers of a file system: how many there
// are, what they are called, how their pods look, and in which order they may be
// changed so that clients never lose the file system.
//
// It is pure: values in, values out. It never talks to Ceph or Kubernetes.
package daemons
