package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Service is this service: its name, and whose cephx identity it uses.
const Service = "osd-manager"

// ConditionPrepared is True when the disk of a CephOSD holds the finished OSD.
// Writer: osd-manager.prepare.
const ConditionPrepared = "Prepared"

// Reasons of ConditionPrepared.
const (
	ReasonPrepared = "Prepared"
	ReasonRefused  = "DiskRefused"
	ReasonFailed   = api.ReasonPreparationFailed
)

// Key is the entry of an OSD's Secret that holds the bare cephx key; names of
// Secrets come from Keyring.
const Key = "key"

// Keyring returns the name of the Secret that holds the key of an OSD. It is
// made before the OSD has a number.
func Keyring(osd *inventory.CephOSD) string { return names.Keyring(names.OSD(osd.Name)) }

// OfKeyring returns the name of the CephOSD whose key a Secret of that name
// holds; false when it is no such Secret.
func OfKeyring(secret string) (string, bool) {
	name, isOSD := strings.CutPrefix(secret, names.OSD(""))
	name, isKeyring := strings.CutSuffix(name, names.Keyring(""))
	return name, isOSD && isKeyring && name != ""
}

// JobName returns the name of the prepare Job of an OSD.
func JobName(osd *inventory.CephOSD) string { return Fit(names.OSDPrepare(osd.Name)) }

// Fit shortens the name of a Job, which is a label of its pods, to the 63
// characters of a label. Different names stay different.
func Fit(name string) string {
	const longest, tail = 63, 10
	if len(name) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:longest-tail-1] + "-" + hex.EncodeToString(sum[:tail/2])
}

// Ended tells whether a Job will start no more pods.
func Ended(job *batchv1.Job) bool {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

// ID returns the number of an OSD as text, "" when it has none yet.
func ID(osd *inventory.CephOSD) string {
	if osd.Spec.ID == nil {
		return ""
	}
	return strconv.Itoa(int(*osd.Spec.ID))
}

// Prepared tells whether the OSD's disk is finished and the OSD has a number.
func Prepared(osd *inventory.CephOSD) bool {
	return osd.Spec.ID != nil && api.IsConditionTrue(osd.Status.Conditions, ConditionPrepared)
}

// Failure returns the condition that says why the preparation of an OSD ended
// without success, or nil.
func Failure(osd *inventory.CephOSD) *api.Condition {
	c := api.FindCondition(osd.Status.Conditions, ConditionPrepared)
	if c == nil || c.Status == metav1.ConditionTrue || (c.Reason != ReasonRefused && c.Reason != ReasonFailed) {
		return nil
	}
	return c
}

// Of returns the OSDs of a cluster, by number, those without one last.
func Of(cluster *api.CephCluster, osds []inventory.CephOSD) []inventory.CephOSD {
	var own []inventory.CephOSD
	for _, osd := range osds {
		if osd.Namespace == cluster.Namespace && osd.Spec.ClusterName == cluster.Name {
			own = append(own, osd)
		}
	}
	sort.Slice(own, func(i, j int) bool {
		a, b := own[i].Spec.ID, own[j].Spec.ID
		if a == nil || b == nil || *a == *b {
			return b == nil && a != nil || (a == nil) == (b == nil) && own[i].Name < own[j].Name
		}
		return *a < *b
	})
	return own
}

// mainLabel is how BlueStore describes the device that is the OSD, as opposed
// to its db and wal devices, which bear the same uuid.
const mainLabel = "main"

// Main tells whether a label is that of an OSD itself, not of a part of one.
func Main(label *inventory.OSDLabel) bool {
	return label != nil && (label.Description == mainLabel || label.Description == "")
}

// Bears tells whether the disk is there and holds the OSD with the uuid. A path
// of a multipath device shows the label too, but is no disk of its own.
func Bears(d *inventory.CephDisk, uuid string) bool {
	missing := d.Status.Probe != nil && d.Status.Probe.State == inventory.ProbeMissing
	return !missing && Main(d.Status.OSD) && d.Status.OSD.UUID == uuid && len(d.Status.Holders) == 0
}

// Bearers returns the disks that bear the uuid, by name. More than one means
// copies of a disk, or one disk that several nodes see: then nobody knows which
// of them is the OSD.
func Bearers(uuid string, disks []inventory.CephDisk) []*inventory.CephDisk {
	var found []*inventory.CephDisk
	for i := range disks {
		if Bears(&disks[i], uuid) {
			found = append(found, &disks[i])
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
	return found
}

// OnDisk returns the OSD that a disk belongs to: the one that its label names,
// wherever the disk is now; else the one that was planned for it. A disk that
// holds only a part of an OSD belongs to none.
func OnDisk(d *inventory.CephDisk, osds []inventory.CephOSD) *inventory.CephOSD {
	if label := d.Status.OSD; label != nil {
		for i := range osds {
			if Main(label) && osds[i].Spec.UUID == label.UUID {
				return &osds[i]
			}
		}
		return nil
	}
	for i := range osds {
		if osds[i].Spec.Disk.Name == d.Name && osds[i].Spec.Disk.StableID == d.Status.StableID {
			return &osds[i]
		}
	}
	return nil
}

// DiskOf returns the disk of an OSD, or nil: the one that it was last on while
// that is there, else the only one that bears its label.
func DiskOf(osd *inventory.CephOSD, disks []inventory.CephDisk) *inventory.CephDisk {
	bearers := Bearers(osd.Spec.UUID, disks)
	for _, d := range bearers {
		if d.Name == osd.Spec.Disk.Name {
			return d
		}
	}
	if len(bearers) == 1 {
		return bearers[0]
	}
	for i := range disks {
		d := &disks[i]
		if d.Name == osd.Spec.Disk.Name && (d.Status.Probe == nil || d.Status.Probe.State != inventory.ProbeMissing) {
			return d
		}
	}
	return nil
}

// Finished tells whether the label on the disk is that of a finished OSD, as
// discover saw it.
func Finished(d *inventory.CephDisk) bool {
	return d.Status.OSD != nil && d.Status.OSD.OSDID != nil && d.Status.Probe != nil &&
		d.Status.Probe.State == inventory.ProbeOSD && d.Status.Probe.Reason == disk.ReasonOSD
}
