// Package factory builds the images of the catalog: it brings file systems,
// programs and image layouts together and leaves one tar file per image. A
// file whose content would not change is not touched. The package never pulls
// from a registry and never needs a container runtime.
package factory
