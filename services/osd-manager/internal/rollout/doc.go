// Package rollout keeps one Deployment per prepared OSD.
//
// A missing Deployment is made at once. One that has to change is changed only
// when nothing is lost by it: an OSD that is down already at once; the others
// one failure domain at a time, holding the cluster's disruption token, after
// Ceph said ok-to-stop, while placement groups are no worse than when the token
// was taken, and after the OSDs that were changed before are back. A new image
// is for OSDs once all mgrs run it. A new image of our own restarts no OSD.
//
// States: nothing to do; creating; waiting for the token; waiting for placement
// groups; waiting for ok-to-stop; waiting for changed OSDs to come back.
//
// It never deletes a Deployment, whatever the spec says (removal is an explicit
// request), and never touches one that carries the label do-not-reconcile.
package rollout
