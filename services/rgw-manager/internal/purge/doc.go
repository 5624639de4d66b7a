// Package purge deletes the objects of a bucket, with all their versions and
// unfinished uploads, a slice at a time: whoever is interrupted, or has used up the
// time it was given, begins at what is left. It never deletes the bucket.
package purge
