// Package compile builds Go programs for images: each from its own module
// without the workspace, for any platform, and with librados when they need
// it. It compiles and links against the libraries that the image will carry,
// never against those of this machine, and never asks what a program does.
package compile
