// Package debian turns a list of Debian packages into a tar file with
// mmdebstrap, for this machine's architecture or another one. It takes mirror
// and keyring from the apt configuration of the machine. It never changes that
// configuration and never decides what an image contains: recipes do.
package debian
