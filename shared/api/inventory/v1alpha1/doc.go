// Package v1alpha1 holds the kinds of the API group inventory.ceph.rook.io:
// CephDisk, one per disk per node, and CephOSD, one per OSD.
//
// They are facts that services hand to each other and show to people. Nobody
// creates them by hand. discover and osd-manager write different pieces of a
// CephDisk's status through server-side apply; every piece has one writer.
//
// The package never reads a device and never decides about one.
//
// +kubebuilder:object:generate=true
// +groupName=inventory.ceph.rook.io
package v1alpha1
