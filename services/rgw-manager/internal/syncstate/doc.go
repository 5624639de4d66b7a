// Package syncstate tells how far a zone is behind the other zones of its realm. Look
// asks the zone's own gateways what has been copied, and those of the other zones where
// their logs end; Judge compares the two.
//
// Zones that are written to are always some entries behind. One is called behind only
// when it lacks what the others had when they were looked at before, so that a zone
// that keeps up does not change its state all the time. It counts no entries.
package syncstate
