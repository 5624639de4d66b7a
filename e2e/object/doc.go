// Package object tells the story of an object store: people keep objects in it
// with the clients that they have, a gateway dies under them, and the store stays
// as long as anybody's bucket is in it.
package object
