// Package sitetest is a radosgw-admin without a Ceph behind it, for tests: it knows
// realms, zone groups, zones, periods and users as one cluster has them, hands periods
// to the master zone, which may be on another Site, and fails on demand. What it does
// not know fails the test by name.
//
// It is as strict as the strictest release: a zone that is out of its zone group can
// commit no period.
package sitetest
