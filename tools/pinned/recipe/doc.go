// Package recipe builds the programs of other projects that this repository
// uses, at pinned versions, and keeps them in a cache of the machine.
//
// Each recipe is a small Go module of its own below tools/pinned, outside the
// workspace, so its dependencies never meet ours. Where they are the same as ours
// they have the same versions and tags all the same, so that they are compiled
// and downloaded once: libraries of Kubernetes may be a patch release newer than
// the program that is built from them. A build is kept under the
// hash of everything that decides its result; it is made in a temporary
// directory and renamed, under a lock, so that two runs never race and a
// killed one leaves nothing that looks finished.
//
// It never downloads binaries, never needs root and never writes outside the
// cache and the link directory.
package recipe
