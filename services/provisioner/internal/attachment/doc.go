// Package attachment answers VolumeAttachments of our drivers, as the
// external-attacher sidecar would: it lets one node have a volume, refuses a second
// one while the first may still write, and gives a volume free only with evidence
// that its node let go of it. The attach operation itself is the node's.
//
// It writes the status and our finalizer of VolumeAttachments, nothing else.
package attachment
