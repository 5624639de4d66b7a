package prepare

import (
	"context"
	"fmt"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// receiptGrace is how long the status of the Job's pod may lag behind the Job's.
const receiptGrace = time.Minute

// receiptPoll is how often to look for a receipt that lags behind.
const receiptPoll = 2 * time.Second

// restorePoll is how often to look whether a lost key can be asked for.
const restorePoll = 10 * time.Second

// ensureKey stores the OSD's key before anybody else learns of it. A key that
// is stored is never replaced.
func (p *pass) ensureKey(ctx context.Context) (step.Outcome, error) {
	if p.hasKey() {
		return step.Done, nil
	}
	key, err := p.newKey(ctx)
	if err != nil {
		return step.None, err
	}
	if err := p.storeKey(ctx, key); err != nil {
		return step.None, err
	}
	return step.Done, nil
}

// hasKey tells whether the OSD's key is stored.
func (p *pass) hasKey() bool {
	return p.seen.Secret != nil && len(p.seen.Secret.Data[fleet.Key]) > 0
}

// newKey makes the key of an OSD that Ceph has not heard of. Of any other the
// key is what Ceph says: its Secret was lost, or it was adopted.
func (p *pass) newKey(ctx context.Context) (keyring.Key, error) {
	id, err := p.registered(ctx)
	if err != nil {
		return keyring.Key{}, err
	}
	if id == "" {
		return keyring.Generate("osd", p.Random, p.Clock.Now())
	}
	user, err := p.seen.Ceph.AuthGet(ctx, "osd."+id)
	if err != nil {
		return keyring.Key{}, fmt.Errorf("read key of osd.%s: %w", id, err)
	}
	return user.Key(), nil
}

// registered returns the number that the OSD has in Ceph, "" when it has none.
// Ceph may have given one that we had no time to write down.
func (p *pass) registered(ctx context.Context) (string, error) {
	if p.osd.Spec.ID != nil {
		return fleet.ID(p.osd), nil
	}
	osdmap, err := p.seen.Ceph.OSDDump(ctx)
	if err != nil {
		return "", fmt.Errorf("read OSD map: %w", err)
	}
	for _, osd := range osdmap.OSDs {
		if osd.UUID == p.osd.Spec.UUID {
			return strconv.Itoa(osd.ID), nil
		}
	}
	return "", nil
}

// storeKey stores a key where there is none. One that we made is created and
// never overwrites; one that Ceph has is right whatever is there, even if that
// cannot be seen because its label was taken away.
func (p *pass) storeKey(ctx context.Context, key keyring.Key) error {
	if p.osd.Spec.ID == nil && p.seen.Secret == nil {
		return p.createSecret(ctx, key)
	}
	if err := p.Apply.Set(ctx, p.cluster, bareSecret(p.cluster, p.osd, key.Secret)); err != nil {
		return err
	}
	p.seen.Secret = &corev1.Secret{Data: map[string][]byte{fleet.Key: []byte(key.Secret)}}
	return nil
}

// onDisk tells whether the disk holds the finished OSD.
func (p *pass) onDisk() bool {
	return p.seen.Disk != nil && fleet.Finished(p.seen.Disk) && p.seen.Disk.Status.OSD.UUID == p.osd.Spec.UUID &&
		p.osd.Spec.ID != nil && *p.seen.Disk.Status.OSD.OSDID == *p.osd.Spec.ID
}

// register gets the OSD's number. Asked again with the same uuid and key, Ceph
// gives the same one.
func (p *pass) register(ctx context.Context) (step.Outcome, error) {
	if p.osd.Spec.ID != nil {
		return step.Done, nil
	}
	id, err := p.seen.Ceph.OSDNew(ctx, ceph.OSDNewRequest{
		UUID: p.osd.Spec.UUID, CephxSecret: string(p.seen.Secret.Data[fleet.Key]), DeviceClass: p.osd.Spec.DeviceClass,
	})
	if err != nil {
		return step.None, fmt.Errorf("register OSD %s: %w", p.osd.Spec.UUID, err)
	}
	number := int32(id)
	if err := p.Apply.Set(ctx, nil, numbered(p.osd, number, "")); err != nil {
		return step.None, err
	}
	p.osd.Spec.ID = &number
	return step.Done, nil
}

// verifyRegistered makes sure that an adopted OSD is one that Ceph knows: a
// label alone proves nothing.
func (p *pass) verifyRegistered(ctx context.Context) (step.Outcome, error) {
	if !p.onDisk() {
		return step.Done, nil
	}
	osdmap, err := p.seen.Ceph.OSDDump(ctx)
	if err != nil {
		return step.None, fmt.Errorf("read OSD map: %w", err)
	}
	for _, osd := range osdmap.OSDs {
		if osd.ID == int(*p.osd.Spec.ID) && osd.UUID == p.osd.Spec.UUID {
			return step.Done, p.learnClass(ctx)
		}
	}
	return step.Stall(fleet.ReasonRefused, fmt.Sprintf("the disk says that it is osd.%s with uuid %s, which the Ceph cluster does not know; wipe the disk and delete CephOSD %s to use it",
		fleet.ID(p.osd), p.osd.Spec.UUID, p.osd.Name)), nil
}

// learnClass records the device class that an adopted OSD has in CRUSH, so that
// its Deployment reads as before and it is not restarted.
func (p *pass) learnClass(ctx context.Context) error {
	if p.osd.Spec.DeviceClass != "" {
		return nil
	}
	tree, err := p.seen.Ceph.OSDTree(ctx)
	if err != nil {
		return fmt.Errorf("read OSD tree: %w", err)
	}
	for _, node := range append(tree.Nodes, tree.Stray...) {
		if node.ID != int(*p.osd.Spec.ID) || node.DeviceClass == "" {
			continue
		}
		p.osd.Spec.DeviceClass = node.DeviceClass
		return p.Apply.Set(ctx, nil, numbered(p.osd, *p.osd.Spec.ID, node.DeviceClass))
	}
	return nil
}

// publishKeyring adds the keyring file, which names the OSD by its number.
func (p *pass) publishKeyring(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.Apply.Set(ctx, p.cluster, secret(p.cluster, p.osd, string(p.seen.Secret.Data[fleet.Key])))
}

// runJob has the disk prepared, and reads how that ended.
func (p *pass) runJob(ctx context.Context) (step.Outcome, error) {
	if p.onDisk() && (p.seen.Job == nil || fleet.Ended(p.seen.Job)) {
		return step.Done, nil
	}
	if p.seen.Disk == nil && p.seen.Job == nil {
		return step.Wait(fleet.ReasonFailed, fmt.Sprintf("the disk %s is gone", p.osd.Spec.Disk.StableID)), nil
	}
	if p.seen.Job == nil {
		return p.startJob(ctx)
	}
	if !fleet.Ended(p.seen.Job) {
		return step.Wait(api.ReasonOSDsPreparing, "Job "+p.seen.Job.Name+" is running"), nil
	}
	if p.seen.Receipt != nil && p.seen.Receipt.Outcome == receipt.Prepared {
		return step.Done, nil
	}
	if p.seen.Disk != nil && p.seen.Job.Annotations[annotationFacts] != facts(p.seen.Disk) {
		// The disk is another than the one that the attempt found.
		return step.Wait(api.ReasonOSDsPreparing, "the disk changed; it is tried again"), p.Apply.Delete(ctx, p.seen.Job)
	}
	return p.failed(), nil
}

// startJob starts an attempt.
func (p *pass) startJob(ctx context.Context) (step.Outcome, error) {
	if err := p.Apply.Set(ctx, p.osd, job(p.cluster, p.osd, p.seen.Disk, p.seen.Node, p.Image)); err != nil {
		return step.None, err
	}
	return step.Wait(api.ReasonOSDsPreparing, "Job "+fleet.JobName(p.osd)+" is running"), nil
}

// failed words why the attempt did not succeed.
func (p *pass) failed() step.Outcome {
	found := p.seen.Receipt
	switch {
	case found != nil && found.Outcome == receipt.Refused:
		return step.Wait(fleet.ReasonRefused, found.Reason+": "+found.Message)
	case found != nil:
		return step.Wait(fleet.ReasonFailed, found.Reason+": "+found.Message)
	case p.seen.Unreadable != nil:
		return step.Wait(fleet.ReasonFailed, "Job "+p.seen.Job.Name+" left no readable result; see its log")
	case p.Clock.Since(endedAt(p.seen.Job).Time) < receiptGrace:
		return step.Retry(receiptPoll, api.ReasonOSDsPreparing, "Job "+p.seen.Job.Name+" has ended; its result is awaited")
	default:
		return step.Wait(fleet.ReasonFailed, "Job "+p.seen.Job.Name+" ended without a result: "+jobMessage(p.seen.Job))
	}
}

func endedAt(job *batchv1.Job) metav1.Time {
	var last metav1.Time
	for _, c := range job.Status.Conditions {
		if c.LastTransitionTime.After(last.Time) {
			last = c.LastTransitionTime
		}
	}
	return last
}

func jobMessage(job *batchv1.Job) string {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobFailed {
			return c.Message
		}
	}
	return "its pod is gone"
}

// tidy removes the Job of a prepared OSD.
func (p *pass) tidy(ctx context.Context) (step.Outcome, error) {
	if p.seen.Job == nil {
		return step.Done, nil
	}
	return step.Done, p.Apply.Delete(ctx, p.seen.Job)
}

// restoreKey gives a prepared OSD its Secret back if that was lost: without it
// the pod could not start again.
func (p *pass) restoreKey(ctx context.Context) (step.Outcome, error) {
	lost := !p.hasKey()
	if lost {
		if outcome, err := p.connect(ctx); err != nil {
			return step.None, err
		} else if !outcome.IsDone() {
			return step.Retry(restorePoll, outcome.Reason, outcome.Message), nil
		}
	}
	if outcome, err := p.ensureKey(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if outcome, err := p.publishKeyring(ctx); err != nil || !outcome.IsDone() {
		return outcome, err
	}
	if lost {
		p.Events.Eventf(p.cluster, p.osd, corev1.EventTypeWarning, "KeyringRestored", "RestoreKeyring", "Restored the lost Secret %s from the key that Ceph has for osd.%s", fleet.Keyring(p.osd), fleet.ID(p.osd))
	}
	return step.Done, nil
}
