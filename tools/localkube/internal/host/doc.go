// Package host deals with what a local cluster needs of the machine it runs
// on: Debian packages, cgroups and a few kernel limits.
//
// It changes no file of the host besides installing packages, and every limit
// that it raises is put back when the last cluster goes.
package host
