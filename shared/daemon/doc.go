// Package daemon composes what the pods of all Ceph daemons share: arguments,
// environment, volumes, probes, placement. It is pure: values in, apply
// configurations out. It never decides where or when a daemon runs.
package daemon
