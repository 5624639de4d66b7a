// Package oci assembles layer files into multi-platform images, stores them as
// tar files in OCI layout, which container runtimes import as they are, and
// uploads them. Layers are stored uncompressed, because a local import is
// bound by decompression; they are compressed on their way to a registry. The
// package needs no container runtime and never runs what it packs.
package oci
