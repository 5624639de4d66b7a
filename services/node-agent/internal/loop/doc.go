// Package loop attaches files to loop devices. Device nodes are made when the
// node's /dev lacks them. It never looks at what is in a file, and it touches no loop device
// whose backing file is not the one that it was given.
package loop
