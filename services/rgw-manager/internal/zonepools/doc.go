// Package zonepools keeps the pools of one zone of an object store: those of a
// CephObjectZone, and those of a CephObjectStore that is a zone of its own. A pool
// that belongs to another application is refused before anything of it is touched.
// It never removes a pool that others may use.
package zonepools
