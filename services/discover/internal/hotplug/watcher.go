package hotplug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// The pause after the last event before a batch is passed on, and the longest
// that a batch may be held back while events keep coming.
const (
	quiet   = 250 * time.Millisecond
	longest = time.Second
)

// Change is one hint.
type Change struct {
	// Device is the kernel name of the block device that may have changed. It
	// may name something that is no block device.
	Device string
	// Lost says that hints were lost: anything may have changed.
	Lost bool
}

// Batch is the hints of a short while.
type Batch struct {
	// Devices are kernel names, sorted.
	Devices []string
	// All says that everything has to be looked at.
	All bool
}

// Watcher passes on batches of hints. Make it with New.
type Watcher struct {
	uevents *os.File
	nodes   *nodes
	listen  func(context.Context, Batch)
}

// New starts to collect hints about the devices whose nodes are in dev: what
// happens from now on is not missed, and is passed to listen by Start.
func New(dev scan.DevDir, listen func(context.Context, Batch)) (*Watcher, error) {
	uevents, err := openEvents()
	if err != nil {
		return nil, err
	}
	nodes, err := watchNodes(dev)
	if err != nil {
		return nil, errors.Join(err, uevents.Close())
	}
	return &Watcher{uevents: uevents, nodes: nodes, listen: listen}, nil
}

// Follow names the devices whose content is of interest: when one of them is
// closed after writing, it is in the next batch.
func (w *Watcher) Follow(names []string) error { return w.nodes.follow(names) }

// NeedLeaderElection implements manager.LeaderElectionRunnable: every pod works.
func (w *Watcher) NeedLeaderElection() bool { return false }

// Start passes on batches until ctx ends. It implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes := make(chan Change, 1024)
	changed := func(change Change) {
		select {
		case changes <- change:
		case <-ctx.Done():
		}
	}
	failed := make(chan error, 2)
	var readers sync.WaitGroup
	readers.Go(func() { failed <- readEvents(w.uevents, changed) })
	readers.Go(func() { failed <- w.nodes.read(changed) })
	err := w.collect(ctx, changes, failed)
	stop()
	err = errors.Join(err, w.uevents.Close(), w.nodes.file.Close())
	readers.Wait()
	return err
}

// collect gathers changes into batches.
func (w *Watcher) collect(ctx context.Context, changes <-chan Change, failed <-chan error) error {
	var batch Batch
	pause, deadline := stopped(), stopped()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("watch devices: %w", err)
		case change := <-changes:
			if len(batch.Devices) == 0 && !batch.All {
				deadline.Reset(longest)
			}
			batch = batch.with(change)
			pause.Reset(quiet)
			continue
		case <-pause.C:
		case <-deadline.C:
		}
		pause.Stop()
		deadline.Stop()
		w.listen(ctx, batch)
		batch = Batch{}
	}
}

func (b Batch) with(change Change) Batch {
	b.All = b.All || change.Lost
	if at, known := slices.BinarySearch(b.Devices, change.Device); !known && change.Device != "" {
		b.Devices = slices.Insert(b.Devices, at, change.Device)
	}
	return b
}

// stopped returns a timer that has not been started.
func stopped() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}
