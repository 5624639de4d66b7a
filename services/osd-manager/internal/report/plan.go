package report

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/selection"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// Daemon is one OSD with all that is known of it.
type Daemon struct {
	OSD inventory.CephOSD
	// Disk may be nil when it is gone.
	Disk *inventory.CephDisk
	// State is its entry in the OSD map, nil when it has none.
	State *ceph.OSDState
	// Metadata is what it told when it booted, nil before.
	Metadata *ceph.OSDMetadata
	// Usage is nil until it was asked for.
	Usage *ceph.OSDUsage
	// Image is what its Deployment runs.
	Image string
}

func (d Daemon) up() bool { return d.State != nil && bool(d.State.Up) }
func (d Daemon) in() bool { return d.State != nil && bool(d.State.In) }

// booted tells whether the OSD was ever up.
func (d Daemon) booted() bool { return d.State != nil && d.State.UpFrom > 0 }

func (d Daemon) name() string {
	if id := fleet.ID(&d.OSD); id != "" {
		return "osd." + id + " on node " + d.OSD.Spec.Node
	}
	return d.OSD.Name
}

// osdStatus is the status of one CephOSD, without the condition of another writer.
func osdStatus(d Daemon) inventory.CephOSDStatus {
	status := inventory.CephOSDStatus{Image: d.Image}
	status.State, status.Message = lifeOf(d)
	if d.Disk != nil {
		status.Device, status.SizeBytes = d.Disk.Status.Device, d.Disk.Status.SizeBytes
		status.Size = inventory.FormatSize(status.SizeBytes)
	}
	if d.State != nil {
		up, in := d.up(), d.in()
		status.Up, status.In = &up, &in
	}
	if d.Metadata != nil {
		status.Version = ceph.Release(d.Metadata.Short)
	}
	switch {
	case !d.up():
	case d.Usage == nil:
		status.Used = d.OSD.Status.Used // nobody has asked since a former leader did
	case d.Usage.KB > 0:
		status.Used = strconv.FormatUint((d.Usage.KBUsed*100+d.Usage.KB/2)/d.Usage.KB, 10) + "%"
	}
	return status
}

// lifeOf returns where an OSD is in its life, and a word about it.
func lifeOf(d Daemon) (inventory.OSDState, string) {
	missing := d.Disk == nil || (d.Disk.Status.Probe != nil && d.Disk.Status.Probe.State == inventory.ProbeMissing)
	switch prepared := api.FindCondition(d.OSD.Status.Conditions, fleet.ConditionPrepared); {
	case !d.OSD.DeletionTimestamp.IsZero():
		return inventory.OSDStateRemoving, "being removed"
	case fleet.Failure(&d.OSD) != nil:
		return inventory.OSDStateFailed, prepared.Message
	case !fleet.Prepared(&d.OSD) && prepared != nil:
		return inventory.OSDStatePreparing, prepared.Message
	case !fleet.Prepared(&d.OSD):
		return inventory.OSDStatePreparing, ""
	case d.up():
		return inventory.OSDStateRunning, ""
	case missing:
		return inventory.OSDStateMissing, "no node shows the disk " + d.OSD.Spec.Disk.StableID
	case d.booted():
		return inventory.OSDStateDown, "Ceph reports it down; see the pod rook-ceph-osd-" + fleet.ID(&d.OSD)
	default:
		return inventory.OSDStateStarting, "not up yet"
	}
}

// Observed is what the verdict about a cluster's OSDs is made from.
type Observed struct {
	Daemons []Daemon
	PGMap   ceph.PGMap
	// NewPGs is how many placement groups belong to pools that were just made.
	NewPGs int
	// Passing is for how long there have been placement groups in states that one
	// passes through, on the way to being active.
	Passing time.Duration
	// Serving is what the last verdict was.
	Serving  bool
	Problems []selection.Problem
}

// Decide says whether the OSDs serve. OSDs in preparation count while a cluster
// is being built; one that joins a cluster that serves does not stop it. A disk
// that failed delays nobody as long as another one did not. Placement groups
// that come into being, or that peer for a moment, are no outage of a cluster that
// serves.
func Decide(seen Observed) step.Outcome {
	groups := map[inventory.OSDState][]string{}
	for _, d := range seen.Daemons {
		state, _ := lifeOf(d)
		groups[state] = append(groups[state], d.name())
	}
	joining := append(groups[inventory.OSDStatePreparing], groups[inventory.OSDStateStarting]...)
	switch down := append(groups[inventory.OSDStateDown], groups[inventory.OSDStateMissing]...); {
	case len(seen.Daemons) == 0:
		return step.Wait(api.ReasonNoDisks, noDisks(seen.Problems))
	case len(groups[inventory.OSDStateFailed]) == len(seen.Daemons):
		return step.Wait(api.ReasonPreparationFailed, "No disk could be prepared: "+problem.Names(groups[inventory.OSDStateFailed]))
	case len(down) > 0:
		return step.Wait(api.ReasonOSDsDown, problem.Names(down)+" down")
	case !seen.Serving && len(groups[inventory.OSDStatePreparing]) > 0:
		return step.Wait(api.ReasonOSDsPreparing, "Preparing "+problem.Names(groups[inventory.OSDStatePreparing]))
	case len(joining) > 0 && (!seen.Serving || len(groups[inventory.OSDStateRunning]) == 0):
		return step.Wait(api.ReasonOSDsStarting, "Waiting for "+problem.Names(joining))
	}
	if states := unserved(seen); len(states) > 0 {
		return step.Wait(api.ReasonPGsInactive, "Placement groups are "+strings.Join(states, ", "))
	}
	return step.Done
}

// unserved returns the states of placement groups that count as an outage.
func unserved(seen Observed) []string {
	if !seen.Serving {
		states, _ := inactive(seen.PGMap, 0)
		return states
	}
	states, passing := inactive(seen.PGMap, seen.NewPGs)
	if passing && seen.Passing < moment {
		return nil
	}
	return states
}

func noDisks(problems []selection.Problem) string {
	if len(problems) > 0 {
		return "No disk is an OSD: " + problems[0].Message
	}
	return "No disk is selected; kubectl get cephdisks -o wide says why"
}

// beginning is how long the placement groups of a new pool may take to become
// active: as long as Ceph waits before it warns of them.
const beginning = time.Minute

// newPGs counts the placement groups of the pools that were made just now. Ceph's
// clock may be a little ahead of ours.
func newPGs(pools []ceph.Pool, now time.Time) int {
	count := 0
	for i := range pools {
		if age := now.Sub(pools[i].CreateTime.Time); age.Abs() < beginning {
			count += max(pools[i].PGNum, pools[i].PGNumTarget)
		}
	}
	return count
}

// moment is how long placement groups may take to become active again when their
// number changes, an OSD comes back or another manager begins to count them.
const moment = 10 * time.Second

// inactive returns the states of placement groups that serve nobody, and whether
// all of these are states that one passes through. As many as are excused may be
// in such a state.
func inactive(pgs ceph.PGMap, excused int) ([]string, bool) {
	var states, passing []string
	for _, state := range pgs.PGsByState {
		switch {
		case state.Count == 0 || slices.Contains(strings.Split(state.StateName, "+"), "active"):
		case isPassing(state.StateName):
			passing = append(passing, state.StateName)
			excused -= state.Count
		default:
			states = append(states, state.StateName)
		}
	}
	stuck := len(states) > 0
	if excused < 0 || stuck {
		states = append(states, passing...)
	}
	sort.Strings(states)
	return states, !stuck
}

// isPassing tells whether a placement group may be in the state on its way
// to active: nothing in it speaks of data that cannot be reached.
func isPassing(state string) bool {
	for _, part := range strings.Split(state, "+") {
		switch part {
		case "unknown", "creating", "peering", "activating", "remapped", "undersized", "degraded":
		default:
			return false
		}
	}
	return true
}

// disksSelected says whether the storage section can be done as written.
func disksSelected(problems []selection.Problem, generation int64) api.Condition {
	if len(problems) == 0 {
		return condition.New(api.ConditionDisksSelected, metav1.ConditionTrue, condition.ReasonAsExpected, "", generation)
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.Message
	}
	return condition.New(api.ConditionDisksSelected, metav1.ConditionFalse, problems[0].Reason, problem.Sentence(texts), generation)
}

// counts sums the OSDs up.
func counts(daemons []Daemon) *api.OSDsStatus {
	total := &api.OSDsStatus{Planned: int32(len(daemons))}
	for _, d := range daemons {
		if d.up() {
			total.Up++
		}
		if d.in() {
			total.In++
		}
		switch state, _ := lifeOf(d); state {
		case inventory.OSDStatePreparing:
			total.Preparing++
		case inventory.OSDStateFailed:
			total.Failed++
		case inventory.OSDStateRemoving:
			total.Removing++
		}
	}
	return total
}

// storage lists the device classes and counts the stores.
func storage(daemons []Daemon, classes []string) *api.CephStorage {
	out := &api.CephStorage{}
	sort.Strings(classes)
	for _, class := range classes {
		out.DeviceClasses = append(out.DeviceClasses, api.DeviceClasses{Name: class})
	}
	stores := map[string]int32{}
	for _, d := range daemons {
		if d.Metadata != nil && d.Metadata.ObjectStore != "" {
			stores[d.Metadata.ObjectStore]++
		}
	}
	if len(stores) > 0 {
		out.OSD = &api.OSDStatus{StoreType: stores}
	}
	return out
}

// common returns what all OSDs run: the version and the image, each empty while
// they differ.
func common(daemons []Daemon) api.DaemonStatus {
	versions, images := map[string]bool{}, map[string]bool{}
	for _, d := range daemons {
		if !fleet.Prepared(&d.OSD) {
			continue
		}
		version := ""
		if d.Metadata != nil {
			version = ceph.Release(d.Metadata.Short)
		}
		versions[version], images[d.Image] = true, true
	}
	return api.DaemonStatus{Version: only(versions), Image: only(images)}
}

func only(set map[string]bool) string {
	if len(set) != 1 {
		return ""
	}
	for value := range set {
		return value
	}
	return ""
}

// newRelease returns the release that all OSDs run when the map still allows
// older ones; "" otherwise. Every OSD of the map must have booted and be up.
func newRelease(osdmap ceph.OSDMap, metadata []ceph.OSDMetadata) string {
	running := map[string]bool{}
	booted := map[int]bool{}
	for _, m := range metadata {
		running[m.Release] = true
		booted[m.ID] = true
	}
	for _, osd := range osdmap.OSDs {
		if !bool(osd.Up) || !booted[osd.ID] {
			return ""
		}
	}
	name := only(running)
	if name == osdmap.RequireOSDRelease {
		return ""
	}
	return name
}
