// Package app is what all our services share around their controllers: flags,
// logs, metrics with authentication, probes, leader election with a warm
// standby that is released on exit, and the manager. It decides nothing about
// Ceph and never reads an object.
package app
