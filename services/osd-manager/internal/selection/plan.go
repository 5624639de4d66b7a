package selection

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// Reasons of a disk's selection.
const (
	ReasonDevices           = "Devices"
	ReasonDeviceFilter      = "DeviceFilter"
	ReasonDevicePathFilter  = "DevicePathFilter"
	ReasonAllDevices        = "UseAllDevices"
	ReasonNothingSelected   = "NothingSelected"
	ReasonNodeMissing       = "NodeMissing"
	ReasonNodeNotListed     = "NodeNotListed"
	ReasonNodeAffinity      = "NodeAffinity"
	ReasonNodeUnschedulable = "NodeUnschedulable"
	ReasonNodeTainted       = "NodeTainted"
	ReasonNodeNotReady      = "NodeNotReady"
	ReasonConfigUnsupported = "ConfigUnsupported"
	ReasonForeignOSD        = "ForeignOSD"
	ReasonOwnOSD            = "OwnOSD"
	ReasonUnfinishedOSD     = "UnfinishedOSD"
	ReasonPartOfOSD         = "PartOfOSD"
	ReasonDuplicate         = "DuplicateIdentity"
	ReasonCleanup           = "CleanupConfirmed"
)

// Observed is all that the decision is made from.
type Observed struct {
	Clusters []api.CephCluster
	Nodes    []corev1.Node
	Disks    []inventory.CephDisk
	OSDs     []inventory.CephOSD
}

// Plan is what becomes of every disk.
type Plan struct {
	// Verdicts by name of the disk; nil means that there is nothing to say.
	Verdicts map[string]*inventory.DiskSelection
	// Intents are the CephOSDs that are missing, by disk.
	Intents []Intent
}

// Intent is one disk that is to become, or already is, an OSD.
type Intent struct {
	Cluster *api.CephCluster
	Disk    *inventory.CephDisk
	// Node may be nil for an adopted OSD.
	Node   *corev1.Node
	Config api.OSDConfig
	// Adopt is the label of the OSD that the disk holds already, or nil.
	Adopt *inventory.OSDLabel
}

// Decide says what becomes of every disk. It is total and depends on nothing
// but its argument.
func Decide(seen Observed) Plan {
	clusters := slices.Clone(seen.Clusters)
	slices.SortFunc(clusters, older)
	plan := Plan{Verdicts: map[string]*inventory.DiskSelection{}}
	for i := range seen.Disks {
		disk := &seen.Disks[i]
		d := decision{Observed: seen, clusters: clusters, disk: disk, node: nodeOf(seen.Nodes, disk.Status.Node)}
		verdict, intent := d.decide()
		plan.Verdicts[disk.Name] = verdict
		if intent != nil {
			plan.Intents = append(plan.Intents, *intent)
		}
	}
	slices.SortFunc(plan.Intents, func(a, b Intent) int { return cmp.Compare(a.Disk.Name, b.Disk.Name) })
	return plan
}

// decision is about one disk.
type decision struct {
	Observed
	clusters []api.CephCluster
	disk     *inventory.CephDisk
	node     *corev1.Node
}

func (d decision) decide() (*inventory.DiskSelection, *Intent) {
	if d.disk.Status.Probe == nil {
		return nil, nil
	}
	if osd := fleet.OnDisk(d.disk, d.OSDs); osd != nil {
		if twins := d.twins(); len(twins) > 0 {
			return duplicate(d.taken(osd), osd, d.disk, twins), nil
		}
		return d.taken(osd), nil
	}
	switch d.disk.Status.Probe.State {
	case inventory.ProbeOSD:
		return d.labelled()
	case inventory.ProbeMissing:
		return nil, nil
	case inventory.ProbeAvailable:
		return d.available()
	default:
		return d.ruledOut(), nil
	}
}

// taken words the verdict about a disk that has a CephOSD.
func (d decision) taken(osd *inventory.CephOSD) *inventory.DiskSelection {
	verdict := &inventory.DiskSelection{
		Cluster: inventory.ClusterReference{Namespace: osd.Namespace, Name: osd.Spec.ClusterName},
		OSDID:   osd.Spec.ID, OSDUUID: osd.Spec.UUID,
	}
	switch failure := fleet.Failure(osd); {
	case fleet.Prepared(osd):
		verdict.State, verdict.Reason = inventory.SelectionPrepared, ReasonOwnOSD
		verdict.Message = "osd." + fleet.ID(osd) + " of CephCluster " + osd.Spec.ClusterName
	case failure == nil:
		verdict.State, verdict.Reason = inventory.SelectionPreparing, api.ReasonOSDsPreparing
		verdict.Message = "becomes an OSD of CephCluster " + osd.Spec.ClusterName
	case failure.Reason == fleet.ReasonRefused:
		verdict.State, verdict.Reason, verdict.Message = inventory.SelectionRefused, failure.Reason, failure.Message
	default:
		verdict.State, verdict.Reason, verdict.Message = inventory.SelectionFailed, failure.Reason, failure.Message
	}
	return verdict
}

// labelled decides about a disk that holds an OSD without a CephOSD.
func (d decision) labelled() (*inventory.DiskSelection, *Intent) {
	label := d.disk.Status.OSD
	if label == nil {
		return nil, nil
	}
	for i := range d.clusters {
		cluster := &d.clusters[i]
		if cluster.Status.Connection == nil || cluster.Status.Connection.FSID != label.FSID {
			continue
		}
		verdict := d.own(cluster, label)
		if verdict.State != inventory.SelectionSelected {
			return verdict, nil
		}
		return verdict, &Intent{Cluster: cluster, Disk: d.disk, Node: d.node, Adopt: label}
	}
	for i := range d.clusters {
		if m, err := d.rule(&d.clusters[i]); err == nil && m.selected {
			message := "holds an OSD of another Ceph cluster: " + d.disk.Status.Probe.Message
			return verdictOf(&d.clusters[i], inventory.SelectionRefused, ReasonForeignOSD, message), nil
		}
	}
	return nil, nil
}

// available gives a blank disk to the first cluster that selects it. If none
// does, the oldest says why not.
func (d decision) available() (*inventory.DiskSelection, *Intent) {
	var first *inventory.DiskSelection
	for i := range d.clusters {
		cluster := &d.clusters[i]
		verdict, config := d.judge(cluster)
		if verdict.State == inventory.SelectionSelected {
			return verdict, &Intent{Cluster: cluster, Disk: d.disk, Node: d.node, Config: config}
		}
		if first == nil {
			first = verdict
		}
	}
	return first, nil
}

func (d decision) judge(cluster *api.CephCluster) (*inventory.DiskSelection, api.OSDConfig) {
	if !active(cluster) {
		return verdictOf(cluster, inventory.SelectionNotSelected, ReasonCleanup, "the CephCluster is being removed, or its cleanupPolicy is confirmed"), nil
	}
	if refused := admit(cluster, d.disk.Status.Node, d.node); refused != (refusal{}) {
		return verdictOf(cluster, inventory.SelectionNotSelected, refused.reason, refused.message), nil
	}
	m, err := d.rule(cluster)
	switch {
	case err != nil:
		return verdictOf(cluster, inventory.SelectionNotSelected, api.ReasonInvalidSpec, err.Error()), nil
	case !m.selected:
		return verdictOf(cluster, inventory.SelectionNotSelected, m.reason, m.message), nil
	}
	if keys := unsupported(m.config); len(keys) > 0 {
		message := fmt.Sprintf("%s in config is not supported yet; remove it", strings.Join(keys, ", "))
		return verdictOf(cluster, inventory.SelectionRefused, ReasonConfigUnsupported, message), nil
	}
	return verdictOf(cluster, inventory.SelectionSelected, m.reason, m.message), m.config
}

// ruledOut speaks of a disk that is in use only if a spec names it.
func (d decision) ruledOut() *inventory.DiskSelection {
	for i := range d.clusters {
		cluster := &d.clusters[i]
		if !active(cluster) || admit(cluster, d.disk.Status.Node, d.node) != (refusal{}) {
			continue
		}
		if m, err := d.rule(cluster); err == nil && m.selected && m.named {
			message := fmt.Sprintf("%s, but it must not be touched: %s", m.message, d.disk.Status.Probe.Message)
			return verdictOf(cluster, inventory.SelectionRefused, d.disk.Status.Probe.Reason, message)
		}
	}
	return nil
}

func (d decision) rule(cluster *api.CephCluster) (match, error) {
	hostname := d.disk.Status.Node
	if d.node != nil {
		hostname = Hostname(d.node)
	}
	return scopeOf(&cluster.Spec.Storage, hostname).match(d.disk)
}

// active tells whether a cluster takes disks at all.
func active(cluster *api.CephCluster) bool {
	return cluster.DeletionTimestamp.IsZero() && !cluster.Spec.External.Enable &&
		cluster.Spec.CleanupPolicy.Confirmation != api.DestroyDataConfirmation
}

func verdictOf(cluster *api.CephCluster, state inventory.SelectionState, reason, message string) *inventory.DiskSelection {
	return &inventory.DiskSelection{
		Cluster: inventory.ClusterReference{Namespace: cluster.Namespace, Name: cluster.Name},
		State:   state, Reason: reason, Message: message,
	}
}

func nodeOf(nodes []corev1.Node, name string) *corev1.Node {
	for i := range nodes {
		if nodes[i].Name == name {
			return &nodes[i]
		}
	}
	return nil
}

// older orders clusters by age, then by name.
func older(a, b api.CephCluster) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
	)
}
