package identity

import (
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// Seen is what speaks of the cluster's identity, in Kubernetes.
type Seen struct {
	// Secret is whether Secret rook-ceph-mon is there; Known and Broken are
	// what FromSecret read from it.
	Secret bool
	Known  Identity
	Broken []string
	// Ours is whether the Secret was made for this very CephCluster object.
	Ours bool
	// StatusFSID is the fsid that the CephCluster's status remembers.
	StatusFSID string
	// Members is whether the status or ConfigMap rook-ceph-mon-endpoints names
	// monitors.
	Members bool
	// Daemons are the Deployments of Ceph daemons in the namespace.
	Daemons []string
	// Keyrings are the Secrets with copies of the keys.
	Keyrings []string
	// OSDs are the CephOSDs of the namespace.
	OSDs []string
	// Labels are the disks of the selected nodes that bear an OSD's label:
	// disk name to fsid.
	Labels map[string]string
	// Silent are the selected nodes whose disks nobody has reported yet. They
	// speak of nothing; who mints waits for them for a while.
	Silent []string
	// TakeOver is whether the user allows to wipe other clusters' disks.
	TakeOver bool
}

// Action is what to do about the identity.
type Action int

// The actions.
const (
	// Keep uses the identity in the Secret.
	Keep Action = iota
	// New mints an identity.
	New
	// Refuse stops: the identity is lost or contradictory.
	Refuse
)

// Decide says what to do. It is total: whatever is missing, an identity is
// minted only when nothing speaks of an earlier cluster.
func Decide(seen Seen) (Action, string) {
	if seen.Secret {
		return decideKnown(seen)
	}
	traces := seen.traces()
	if len(traces) == 0 {
		return New, ""
	}
	return Refuse, fmt.Sprintf("Secret %s is missing, but a Ceph cluster was here before: %s. %s",
		names.MonSecret, strings.Join(traces, "; "), seen.remedy())
}

func decideKnown(seen Seen) (Action, string) {
	switch {
	case len(seen.Broken) > 0:
		return Refuse, fmt.Sprintf("Secret %s lacks a valid %s; restore the Secret from a backup. Nothing is changed until then",
			names.MonSecret, problem.Names(seen.Broken))
	case seen.StatusFSID != "" && seen.StatusFSID != seen.Known.FSID:
		return Refuse, fmt.Sprintf("Secret %s holds fsid %s, but this CephCluster is %s; restore the Secret of that cluster. Nothing is changed until then",
			names.MonSecret, seen.Known.FSID, seen.StatusFSID)
	case seen.Members:
		return Keep, ""
	case len(seen.Daemons) > 0 || !seen.Ours:
		return Refuse, fmt.Sprintf("Secret %s is of the existing Ceph cluster %s, but ConfigMap %s does not say where its monitors are; "+
			"restore the ConfigMap from a backup, or delete the Secret and its finalizer to make a new cluster. Nothing is changed until then",
			names.MonSecret, seen.Known.FSID, names.MonEndpoints)
	}
	return Keep, "" // minted by an earlier pass, and no monitor was placed yet
}

// traces names everything that speaks of an earlier cluster.
func (s Seen) traces() []string {
	var traces []string
	if s.StatusFSID != "" {
		traces = append(traces, "status remembers fsid "+s.StatusFSID)
	}
	if s.Members {
		traces = append(traces, "ConfigMap "+names.MonEndpoints+" or status.monitors names monitors")
	}
	if len(s.Daemons) > 0 {
		traces = append(traces, "Deployments "+problem.Names(s.Daemons)+" exist")
	}
	if len(s.Keyrings) > 0 {
		traces = append(traces, "Secrets "+problem.Names(s.Keyrings)+" exist")
	}
	if len(s.OSDs) > 0 {
		traces = append(traces, "CephOSDs "+problem.Names(s.OSDs)+" exist")
	}
	if len(s.Labels) > 0 && !s.TakeOver {
		var disks []string
		for disk, fsid := range s.Labels {
			disks = append(disks, disk+" (fsid "+fsid+")")
		}
		traces = append(traces, "CephDisks "+problem.Names(disks)+" hold OSDs")
	}
	return traces
}

func (s Seen) remedy() string {
	onlyDisks := s.StatusFSID == "" && !s.Members && len(s.Daemons)+len(s.Keyrings)+len(s.OSDs) == 0
	if onlyDisks {
		return "Restore the Secret of that cluster, or wipe the disks, or leave their nodes out of spec.storage, " +
			"or set spec.cleanupPolicy.wipeDevicesFromOtherClusters. Nothing is changed until then"
	}
	return fmt.Sprintf("Restore the Secret from a backup, with the keys %s, %s, %s and %s; Secrets %s and %s hold copies of the two keys. Nothing is changed until then",
		KeyFSID, KeyMonSecret, KeyCephUsername, KeyCephSecret, names.MonsKeyring, names.AdminKeyring)
}
