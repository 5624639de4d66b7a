// Package apply sends desired objects and status pieces to the API server with
// server-side apply, as one field manager, and sends nothing when what that
// manager owns already reads as desired. With condition it is the only place
// that writes to Kubernetes. It never updates, never reads around the cache for
// a comparison, and never touches a user's spec.
package apply
