// Package integration holds the tests that run the service's own controllers on
// real Ceph daemons: what fakes cannot prove, such as which objects an empty pool
// holds and how Ceph reads the values of settings.
package integration
