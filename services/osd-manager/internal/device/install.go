package device

import "github.com/rook-ceph/rook-ceph/shared/cephlet"

// Install copies the running program to dir/osd-prepare, so that containers of
// another image in the same pod can run it. It replaces an older copy at once.
func Install(dir string) error { return cephlet.InstallAs(dir, "osd-prepare") }
