// Package tree works on file systems in tar form: it picks the files that an
// image needs, writes them as a layer that is the same every time, and unpacks
// them. It never runs a program of the file system it works on.
package tree
