// Package apply sends desired objects and status pieces to the API server with
// server-side apply, as one field manager, and sends nothing when what that
// manager owns already reads as desired. What it applies whole it takes over from
// Rook's operator. With condition it is the only place that writes to Kubernetes.
// It never updates, reads around the cache only what the cache does not have, and
// never touches a user's spec.
package apply
