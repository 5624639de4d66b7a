// Package catalog is the table of images: which there are, what they are made
// of and what they are called. It holds data only and builds nothing.
package catalog
