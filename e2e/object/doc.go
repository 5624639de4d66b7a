// Package object tells the story of an object store: people keep objects in it
// with the clients that they have, a gateway dies under them, and the store stays
// as long as anybody's bucket is in it.
//
// Its tests need the build tag object in addition to e2e, until rgw-manager is part
// of the installation.
package object
