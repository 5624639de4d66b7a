// Package network makes the host's side of a local cluster's network: one
// bridge, one cable to each machine, and routes to the pods of each node and to the Services.
//
// It never changes the host's firewall, its forwarding or any other link. All
// that it makes is gone when the bridge and the machines are.
package network
