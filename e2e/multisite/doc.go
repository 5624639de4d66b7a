// Package multisite tells the story of two Ceph clusters, side by side, whose object
// stores are zones of one realm: what is written to either is in both.
package multisite
