// Package receipt is the message that osd-prepare leaves behind when its
// container ends and that osd-manager reads from the pod's status: what became
// of one disk, and why. It is the whole contract between the two programs.
//
// A node may be in foreign hands, so Parse trusts nothing: it bounds every
// text, knows every outcome, and never steers anything but the OSD that the
// Job was made for. The package does no I/O.
package receipt
