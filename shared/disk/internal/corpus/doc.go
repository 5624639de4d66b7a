// Package corpus reads and writes the disk images that the tests of the disk
// packages probe. An image may be a terabyte large: only the blocks that hold
// something are stored, compressed.
//
// It serves tests and the generator of the images; no service imports it.
package corpus
