// Package version holds the version stamp of the binary. It is set by the
// linker (-ldflags -X) and never read from a file.
package version

// version is replaced when a binary is built for an image.
var version = "v0.0.0-dev"

// String returns the version of our services, as semver with a leading v.
func String() string { return version }
