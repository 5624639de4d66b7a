// Package node is the CSI node service for RBD: it stages a volume on this node
// (attach, format once, mount), publishes it to pods (bind mount), and shows them a
// size that has grown.
//
// A volume that one node may write to is staged only while the journal
// names no other node as its holder and no foreign client has the image open;
// the address of our own client is recorded before the volume is mounted, so
// that it can be fenced later. The package never creates or deletes volumes and never fences.
package node
