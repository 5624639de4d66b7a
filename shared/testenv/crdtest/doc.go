// Package crdtest holds the CustomResourceDefinitions to their promises: that
// every field of the compatibility contract is there, that manifests written for
// Rook apply unchanged, that bad input is refused with the field and the fix,
// and that controllers which write different pieces of one status never erase
// each other's.
//
// It consists of tests only.
package crdtest
