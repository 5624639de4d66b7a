package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

var (
	errMissing    = errors.New("disk missing")
	errUnfinished = errors.New("mkfs did not finish")
)

// Formatter makes the OSD's store on the device, and leaves everything that
// identifies the OSD in the device's label.
type Formatter interface {
	Format(ctx context.Context, device string, osd Identity) error
}

// Preparation is one disk that is to become one OSD.
type Preparation struct {
	Machine Machine
	OSD     Identity
	// StableID is the identity of the disk, as discover published it.
	StableID  string
	Formatter Formatter
	// Now stamps the label that announces the OSD.
	Now time.Time
}

// Prepare does the work and says how it ended. It is idempotent: a disk that
// holds the finished OSD is Prepared, an interrupted preparation of the same
// OSD goes on. A Refused disk was not written to.
func Prepare(ctx context.Context, p Preparation) receipt.Receipt {
	result := receipt.Receipt{OSDID: p.OSD.ID, OSDUUID: p.OSD.UUID}
	facts, err := p.Machine.byStableID(p.StableID)
	if err == nil {
		result.Device, result.SizeBytes = facts.KernelName, facts.SizeBytes
		err = p.prepare(ctx, facts)
	}
	var refusal *Refusal
	switch {
	case err == nil:
		result.Outcome = receipt.Prepared
		return result
	case errors.As(err, &refusal):
		result.Outcome, result.Reason = receipt.Refused, refusal.Reason
	case errors.Is(err, scan.ErrRefused):
		result.Outcome, result.Reason = receipt.Refused, "InUse"
	case errors.Is(err, errMissing):
		result.Outcome, result.Reason = receipt.Failed, "DiskMissing"
	default:
		result.Outcome, result.Reason = receipt.Failed, "PreparationFailed"
	}
	result.Message = err.Error()
	return result
}

// Refusal is the reason why a disk must not be written to.
type Refusal struct {
	Reason string
	err    error
}

// Error returns the whole story.
func (r *Refusal) Error() string { return r.err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.err }

func (p Preparation) prepare(ctx context.Context, facts disk.Facts) error {
	found, err := p.Machine.look(ctx, facts.KernelName)
	if err != nil {
		return err
	}
	if p.OSD.Owns(found) {
		if label, _ := found.Label(); label.Ready() {
			return nil
		}
	} else if err := p.announce(ctx, facts); err != nil {
		return err
	}
	if err := p.Formatter.Format(ctx, p.Machine.Dev.Path(facts), p.OSD); err != nil {
		return err
	}
	return p.verify(ctx, facts)
}

// announce claims the blank disk exclusively and marks it with the label of
// the OSD to be.
func (p Preparation) announce(ctx context.Context, facts disk.Facts) error {
	file, found, err := p.Machine.Scanner.Claim(ctx, facts.KernelName, p.Machine.Dev)
	if err != nil {
		if errors.Is(err, scan.ErrRefused) && found.Verdict.Reason != "" {
			return &Refusal{Reason: found.Verdict.Reason, err: err}
		}
		return err
	}
	if found.Facts.StableID() != p.StableID {
		refused := fmt.Errorf("%w: %s is now %s", scan.ErrRefused, facts.KernelName, found.Facts.StableID())
		return errors.Join(&Refusal{Reason: "IdentityChanged", err: refused}, file.Close())
	}
	return errors.Join(p.mark(file, facts.SizeBytes), file.Close())
}

func (p Preparation) mark(file *os.File, size int64) error {
	label, err := encodeLabel(p.OSD, size, p.Now)
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(label, 0); err != nil {
		return fmt.Errorf("write label: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("write label: %w", err)
	}
	return nil
}

// verify reads the label back from the disk: only what is there counts.
func (p Preparation) verify(ctx context.Context, facts disk.Facts) error {
	found, err := p.Machine.look(ctx, facts.KernelName)
	if err != nil {
		return err
	}
	label, ok := found.Label()
	if !ok || !p.OSD.Owns(found) {
		return fmt.Errorf("%w: the label of %s does not name %s", errUnfinished, facts.KernelName, p.OSD)
	}
	if id, named := label.OSDID(); !named || id != p.OSD.ID || !label.Ready() {
		return fmt.Errorf("%w: the label of %s on %s is incomplete", errUnfinished, p.OSD, facts.KernelName)
	}
	return nil
}
