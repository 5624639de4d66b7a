// Package cephlet is the little program in every Ceph pod: it copies itself
// into the pod, gives directories to the ceph user before a daemon starts, and
// asks a daemon how it is over its admin socket. It needs no Python, no shell
// and no library of the Ceph image, and puts no load on the monitors.
package cephlet
