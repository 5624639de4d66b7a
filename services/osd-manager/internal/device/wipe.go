package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

const (
	// quickBytes is how much of the start of a disk a quick wipe overwrites.
	quickBytes = 100 << 20
	// around is how much is overwritten where something was found.
	around = 1 << 20
	// attempts bounds how often what is still found is overwritten: behind one
	// signature there may be another.
	attempts = 8
)

// Wiping is one disk whose OSD and data are to be destroyed.
type Wiping struct {
	Machine Machine
	// OSD is whose disk it must be. An ID below 0 is not compared.
	OSD Identity
	// StableID is the identity of the disk.
	StableID string
	// Complete overwrites the whole disk, Passes times, with what Source returns;
	// otherwise only what identifies data is overwritten.
	Complete bool
	Passes   int
	// Source fills a buffer; nil means zeros.
	Source io.Reader
	// DataDir is the OSD's directory on the host; it is removed. May be empty.
	DataDir string
}

// Wipe destroys the OSD on a disk and says how that ended. A disk whose label
// does not name the OSD and its cluster is refused and not written to. Wiped
// means that the disk was read back and is blank. The label at the start goes
// last, so that a wipe that was interrupted can go on.
func Wipe(ctx context.Context, w Wiping) receipt.Receipt {
	result := receipt.Receipt{OSDID: w.OSD.ID, OSDUUID: w.OSD.UUID}
	facts, err := w.Machine.byStableID(w.StableID)
	if err == nil {
		result.Device, result.SizeBytes = facts.KernelName, facts.SizeBytes
		err = w.wipe(ctx, facts)
	}
	var refusal *Refusal
	switch {
	case err == nil:
		result.Outcome = receipt.Wiped
		return result
	case errors.As(err, &refusal):
		result.Outcome, result.Reason = receipt.Refused, refusal.Reason
	case errors.Is(err, errMissing):
		result.Outcome, result.Reason = receipt.Failed, "DiskMissing"
	default:
		result.Outcome, result.Reason = receipt.Failed, "WipeFailed"
	}
	result.Message = err.Error()
	return result
}

func (w Wiping) wipe(ctx context.Context, facts disk.Facts) (err error) {
	file, err := os.OpenFile(w.Machine.Dev.Path(facts), os.O_RDWR|syscall.O_EXCL|unix.O_CLOEXEC, 0)
	if errors.Is(err, syscall.EBUSY) {
		return &Refusal{Reason: "InUse", err: fmt.Errorf("%s is in use by another process or mount", facts.KernelName)}
	}
	if err != nil {
		return fmt.Errorf("open device: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	blank, err := w.verify(file, facts)
	if err != nil {
		return err
	}
	if !blank {
		if err := w.erase(ctx, file, facts.SizeBytes); err != nil {
			return err
		}
	}
	if w.DataDir == "" {
		return nil
	}
	if err := os.RemoveAll(w.DataDir); err != nil {
		return fmt.Errorf("remove data directory: %w", err)
	}
	return nil
}

// verify makes sure that the open device is the OSD's. A blank one was wiped
// before.
func (w Wiping) verify(file *os.File, facts disk.Facts) (blank bool, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return false, fmt.Errorf("look at device: %w", err)
	}
	if unix.Major(stat.Rdev) != facts.Major || unix.Minor(stat.Rdev) != facts.Minor {
		return false, &Refusal{Reason: "IdentityChanged", err: fmt.Errorf("%s is another device by now", facts.KernelName)}
	}
	report, err := reread(file, facts.SizeBytes)
	if err != nil {
		return false, err
	}
	if report.Blank() {
		return true, nil
	}
	found := scan.Disk{Facts: facts, Report: report}
	label, labelled := found.Label()
	switch {
	case !labelled:
		return false, &Refusal{Reason: "NotOurs", err: fmt.Errorf("%s holds something, but no OSD", facts.KernelName)}
	case label.OSDUUID != w.OSD.UUID || label.FSID() != w.OSD.FSID || (w.OSD.ID >= 0 && !w.OSD.Owns(found)):
		return false, &Refusal{Reason: "ForeignOSD", err: fmt.Errorf("%s holds OSD %s of cluster %s, not %s of cluster %s", facts.KernelName, label.OSDUUID, label.FSID(), w.OSD, w.OSD.FSID)}
	}
	return false, nil
}

// erase overwrites the disk and reads it back.
func (w Wiping) erase(ctx context.Context, file *os.File, size int64) error {
	end := size
	passes := max(w.Passes, 1)
	if !w.Complete {
		end, passes = min(size, quickBytes), 1
	}
	for range passes {
		if err := overwrite(ctx, file, bluestore.BlockSize, end, w.Source); err != nil {
			return err
		}
	}
	for _, offset := range bluestore.Offsets(size)[1:] {
		if err := overwrite(ctx, file, offset, min(offset+bluestore.BlockSize, size), nil); err != nil {
			return err
		}
	}
	for range attempts {
		report, err := reread(file, size)
		if err != nil {
			return err
		}
		rest := beyondLabel(report)
		if len(rest) == 0 {
			break
		}
		for _, offset := range rest {
			from := max(offset/around*around, bluestore.BlockSize)
			if err := overwrite(ctx, file, from, min(from+2*around, size), nil); err != nil {
				return err
			}
		}
	}
	return w.finish(ctx, file, size)
}

// finish overwrites the start of the disk, and is content only if the disk is
// blank then. Random data at the start reads as unknown data; it is zeroed.
func (w Wiping) finish(ctx context.Context, file *os.File, size int64) error {
	if err := overwrite(ctx, file, bluestore.BlockSize, min(size, probe.BlankBytes), nil); err != nil {
		return err
	}
	if err := overwrite(ctx, file, 0, bluestore.BlockSize, nil); err != nil {
		return err
	}
	report, err := reread(file, size)
	if err != nil {
		return err
	}
	if !report.Blank() {
		what := "unknown data"
		if len(report.Signatures) > 0 {
			what = report.Signatures[0].String()
		}
		return fmt.Errorf("the disk still holds %s after it was overwritten", what)
	}
	return nil
}

// beyondLabel lists where something is found that is not the label at the start.
func beyondLabel(report probe.Report) []int64 {
	var offsets []int64
	for _, signature := range report.Signatures {
		if signature.Offset >= bluestore.BlockSize {
			offsets = append(offsets, signature.Offset)
		}
	}
	return offsets
}

// overwrite fills a range from source, with zeros if there is none, and waits
// until it is on the disk.
func overwrite(ctx context.Context, file *os.File, from, to int64, source io.Reader) error {
	buffer := make([]byte, 4<<20)
	for at := from; at < to; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("overwrite disk: %w", err)
		}
		chunk := buffer[:min(int64(len(buffer)), to-at)]
		if source != nil {
			if _, err := io.ReadFull(source, chunk); err != nil {
				return fmt.Errorf("overwrite disk: %w", err)
			}
		}
		n, err := file.WriteAt(chunk, at)
		if err != nil {
			return fmt.Errorf("overwrite disk at %d: %w", at, err)
		}
		at += int64(n)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("overwrite disk: %w", err)
	}
	return nil
}

// reread probes what is on the disk, not what is in the page cache.
func reread(file *os.File, size int64) (probe.Report, error) {
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return probe.Report{}, fmt.Errorf("drop page cache: %w", err)
	}
	return probe.Scan(file, size)
}
