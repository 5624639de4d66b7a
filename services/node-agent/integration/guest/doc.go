// Package guest is the node-agent side of a test in an emulated machine: what a test
// asks it to do there, and how it does that with the packages that node-agent itself is
// made of. It holds no way of its own to attach, format or mount anything, and is no
// part of what is shipped.
package guest
