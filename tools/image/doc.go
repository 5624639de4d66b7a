// Command image builds the container images of the project without a registry
// and without a container runtime. Images are tar files in OCI layout that
// containerd imports; `image push` uploads them. It decides nothing about what
// runs in a cluster and never changes the machine beyond installing the Debian
// packages that it says it installs.
package main
