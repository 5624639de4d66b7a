// Package store keeps expensive build results between runs. An entry is a
// directory that is complete or absent: it is filled under a temporary name
// while a file lock is held, then renamed. The package never looks inside an
// entry, never expires one and never deletes one that it did not just make.
package store
