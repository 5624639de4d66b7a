// Package loop attaches files to loop devices. Device nodes are made when the
// node's /dev lacks them. It never looks at what is in a file, and it touches no loop device
// that does not carry the name and the backing file that it was given.
package loop
