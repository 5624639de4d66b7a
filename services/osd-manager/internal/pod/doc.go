// Package pod holds what the prepare Job and the Deployment of an OSD have in
// common: access to the node's devices, our programs, the arguments that name
// the OSD. It is pure.
package pod
