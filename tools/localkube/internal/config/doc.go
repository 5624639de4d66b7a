// Package config renders what the programs of a local cluster read and the
// arguments that they start with.
//
// It is pure: it returns text and never touches a file. Paths in what it
// renders are paths inside a machine.
package config
