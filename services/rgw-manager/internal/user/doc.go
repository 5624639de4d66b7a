// Package user keeps the users that CephObjectStoreUsers ask for: one user of an
// object store with its keys, rights and limits, and the Secret that publishes a key.
//
// What the spec says is kept, and what differs in the store is set back. Keys are an
// exception: those that somebody else gave to a user stay, unless the spec lists
// them all. A key that is replaced stays valid for Overlap, so that clients have time
// to learn the new one.
//
// A user that exists already is taken over with its keys by an object beside the store.
// An object in another namespace takes over only what it made, or whose key it has:
// otherwise who may create it there would get the keys of anybody.
package user
