package rollout

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Daemon is one OSD as the decision sees it.
type Daemon struct {
	ID int
	// Domain is its failure domain; OSDs of one may be stopped together.
	Domain string
	// Exists, Settled and Available speak of its Deployment: there, as desired,
	// with a pod that runs the newest template.
	Exists, Settled, Available bool
	// Since is when it last became available, or ceased to be.
	Since time.Time
	// Paused Deployments carry the label do-not-reconcile.
	Paused bool
}

// wait is how long others wait for the OSD after it came or went.
func (d Daemon) wait(patience time.Duration) time.Duration {
	if d.Available {
		return settle
	}
	return patience
}

// Plan is what to do about the Deployments now.
type Plan struct {
	// Now are the OSDs whose Deployments can be written at once.
	Now []int
	// Next are the OSDs of one failure domain that are to be changed next, if
	// Ceph agrees.
	Next []int
	// Returning are OSDs that are not back yet, or not for long enough that Ceph
	// knows in what state they came back; Next waits for them.
	Returning []int
}

// Decide says which Deployments to write. OSDs that have been gone for longer
// than patience are not waited for: one that is broken for good must not keep
// the others from being mended. It is total and does not depend on the order of
// its argument.
func Decide(daemons []Daemon, patience time.Duration, now time.Time) Plan {
	ordered := slices.Clone(daemons)
	slices.SortFunc(ordered, func(a, b Daemon) int { return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.ID, b.ID)) })
	var plan Plan
	domain := ""
	for _, d := range ordered {
		switch {
		case d.Paused:
		case !d.Exists || (!d.Settled && !d.Available):
			plan.Now = append(plan.Now, d.ID)
		case !d.Settled && cmp.Or(domain, d.Domain) == d.Domain:
			domain = d.Domain
			plan.Next = append(plan.Next, d.ID)
		case d.Settled && now.Sub(d.Since) < d.wait(patience):
			plan.Returning = append(plan.Returning, d.ID)
		}
	}
	slices.Sort(plan.Now)
	slices.Sort(plan.Returning)
	return plan
}

// Available tells whether the pod of the newest template runs and is ready.
func Available(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas > 0 &&
		d.Status.AvailableReplicas > 0 && d.Status.UnavailableReplicas == 0
}

// since is when the pod of the Deployment came or went. Right after a change
// the condition still speaks of the pod before: that counts as now.
func since(d *appsv1.Deployment, now time.Time) time.Time {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentAvailable && (c.Status == corev1.ConditionTrue) == Available(d) {
			return c.LastTransitionTime.Time
		}
	}
	return now
}

// settle is how long an OSD has to be back before another one is stopped. The
// mgr, who answers ok-to-stop, hears of placement groups every 5 seconds: right
// after a restart it still tells what was before.
const settle = 12 * time.Second

// healthyPGs matches placement groups that lack nothing.
const healthyPGs = `^active\+(clean|deep|scrubbing|snaptrim|snaptrim_wait)(\+(clean|deep|scrubbing|snaptrim|snaptrim_wait))*$`

// Unclean counts the placement groups that lack something, in the sense of the
// cluster's spec.disruptionManagement.pgHealthyRegex.
func Unclean(status ceph.Status, cluster *api.CephCluster) int {
	expression := cluster.Spec.DisruptionManagement.PGHealthyRegex
	healthy, err := regexp.Compile(cmp.Or(expression, healthyPGs))
	if err != nil {
		healthy = regexp.MustCompile(healthyPGs)
	}
	count := 0
	for _, state := range status.PGMap.PGsByState {
		if !healthy.MatchString(state.StateName) {
			count += state.Count
		}
	}
	return count
}

// worse tells whether more placement groups lack something than the note says
// there were when the token was taken. A note that cannot be read allows none.
func worse(now int, note string) bool {
	before, err := strconv.Atoi(note)
	if err != nil {
		before = 0
	}
	return now > before
}

// Image returns the image that OSDs run: the one that all mgrs run already, so
// that OSDs are never newer than mons and mgrs. Before any mgr has reported it
// is the cluster's.
func Image(cluster *api.CephCluster) string {
	for _, role := range []string{api.RoleMgr, api.RoleMon} {
		if image := cluster.Status.Daemons[role].Image; image != "" {
			return image
		}
	}
	return cluster.Spec.CephVersion.Image
}

// keep returns the image of our own that a Deployment's pod was made with, so
// that another one alone changes nothing; else current.
func keep(live *appsv1.Deployment, current string) string {
	if live == nil {
		return current
	}
	for _, container := range live.Spec.Template.Spec.InitContainers {
		if container.Name == containerInstall && container.Image != "" {
			return container.Image
		}
	}
	return current
}
