package prepare

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
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

// ensureKey stores the OSD's key before anybody else learns of it. A key that
// is stored is never replaced.
func (p *pass) ensureKey(ctx context.Context) (step.Outcome, error) {
	if p.seen.Secret != nil && len(p.seen.Secret.Data[fleet.Key]) > 0 {
		return step.Done, nil
	}
	key, err := p.newKey(ctx)
	if err != nil {
		return step.None, err
	}
	if err := p.createSecret(ctx, key); err != nil {
		return step.None, err
	}
	return step.Done, nil
}

// newKey makes a key, or reads the one that an adopted OSD has.
func (p *pass) newKey(ctx context.Context) (keyring.Key, error) {
	if !p.adopted() {
		return keyring.Generate("osd", p.Random, p.Clock.Now())
	}
	user, err := p.seen.Ceph.AuthGet(ctx, "osd."+fleet.ID(p.osd))
	if err != nil {
		return keyring.Key{}, fmt.Errorf("read key of osd.%s: %w", fleet.ID(p.osd), err)
	}
	return user.Key(), nil
}

// adopted tells whether the disk held the finished OSD before we came: then it
// has a number although no key of ours was ever stored for it.
func (p *pass) adopted() bool {
	return p.osd.Spec.ID != nil && p.onDisk()
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
		return p.verifyRegistered(ctx)
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

// tidy removes the Job of a prepared OSD, and gives its Secret back if it was
// lost.
func (p *pass) tidy(ctx context.Context) error {
	if _, err := p.observe(ctx); err != nil {
		return err
	}
	if p.seen.Job == nil {
		return nil
	}
	return p.Apply.Delete(ctx, p.seen.Job)
}
