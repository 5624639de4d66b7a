package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/bluestore"
	"github.com/rook-ceph/rook-ceph/shared/disk/probe"
)

// DefaultTimeout is how long one device may take to answer.
const DefaultTimeout = 20 * time.Second

// Disk is all that is known about one device.
type Disk struct {
	Facts   disk.Facts
	Report  probe.Report
	Verdict disk.Verdict
	// Links are the names below /dev/disk that lead to the device, sorted.
	Links []string
	// Contents are what was found inside each partition, by kernel name.
	Contents map[string][]probe.Signature
}

// Label returns the BlueStore label that tells whose disk it is.
func (d Disk) Label() (bluestore.Label, bool) {
	best, ok := bluestore.Identity(d.Report.Labels)
	return best.Label, ok
}

// Scanner looks at devices. Its fields are set once; Stuck must be shared by
// all copies that may look at the same devices.
type Scanner struct {
	Host   disk.Host
	Nodes  Nodes
	Policy disk.Policy
	// Timeout bounds one probe; 0 means DefaultTimeout.
	Timeout time.Duration
	// Stuck remembers probes that did not end; nil remembers nothing.
	Stuck *Stuck
}

// All looks at every device of the node. Devices that vanish meanwhile are left
// out. Devices that report the same identity are all rejected.
func (s Scanner) All(ctx context.Context) ([]Disk, error) {
	names, err := s.Host.Names()
	if err != nil {
		return nil, err
	}
	found, err := s.Some(ctx, names)
	if err != nil {
		return nil, err
	}
	return Distinct(found), nil
}

// Some looks at the named devices and leaves out those that do not exist.
func (s Scanner) Some(ctx context.Context, names []string) ([]Disk, error) {
	usage, err := s.Host.Usage()
	if err != nil {
		return nil, err
	}
	links := s.Nodes.Links()
	results := make([]*Disk, len(names))
	failures := make([]error, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() {
			facts, err := s.Host.Facts(name, usage)
			if err == nil {
				found := s.look(ctx, facts)
				found.Links = links[name]
				results[i] = &found
			} else if !errors.Is(err, fs.ErrNotExist) {
				failures[i] = err
			}
		})
	}
	wait.Wait()
	found := make([]Disk, 0, len(results))
	for _, result := range results {
		if result != nil {
			found = append(found, *result)
		}
	}
	return found, errors.Join(failures...)
}

// look screens one device, and opens it only when the screen lets it pass.
func (s Scanner) look(ctx context.Context, facts disk.Facts) Disk {
	if verdict, final := disk.Screen(facts, s.Policy); final {
		return Disk{Facts: facts, Verdict: verdict}
	}
	if !s.Nodes.Present(facts) {
		return Disk{Facts: facts, Verdict: disk.Verdict{State: disk.Ignored, Reason: disk.ReasonNoDeviceNode, Message: "has no device node on this node"}}
	}
	return s.inspect(ctx, facts, s.Nodes)
}

// inspect probes a device in its own goroutine, so that broken hardware which
// blocks a read for ever costs one goroutine and not the scan.
func (s Scanner) inspect(ctx context.Context, facts disk.Facts, nodes Nodes) Disk {
	if !s.Stuck.enter(facts.KernelName) {
		return Disk{Facts: facts, Verdict: disk.Unreadable(facts, errors.New("an earlier probe still waits for the device"))}
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done := make(chan Disk, 1)
	go func() {
		found := s.read(facts, nodes)
		s.Stuck.leave(facts.KernelName)
		done <- found
	}()
	select {
	case found := <-done:
		return found
	case <-ctx.Done():
		s.Stuck.late(facts.KernelName)
		return Disk{Facts: facts, Verdict: disk.Unreadable(facts, fmt.Errorf("the device did not answer within %s", timeout))}
	}
}

func (s Scanner) read(facts disk.Facts, nodes Nodes) (found Disk) {
	found.Facts = facts
	device, err := nodes.Open(facts)
	if err != nil {
		found.Verdict = disk.Unreadable(facts, fmt.Errorf("open device: %w", err))
		return found
	}
	defer func() { _ = device.Close() }()
	found.Report, err = probe.Scan(device, facts.SizeBytes)
	if err != nil {
		found.Verdict = disk.Unreadable(facts, err)
		return found
	}
	found.Contents = contents(device, facts)
	found.Verdict = disk.Judge(facts, found.Report, s.Policy)
	return found
}

// contents names what is inside each partition, as far as it can be read; the
// verdict does not depend on it.
func contents(device io.ReaderAt, facts disk.Facts) map[string][]probe.Signature {
	const most = 32
	if len(facts.Partitions) == 0 || len(facts.Partitions) > most {
		return nil
	}
	inside := map[string][]probe.Signature{}
	for _, partition := range facts.Partitions {
		if partition.StartBytes+partition.SizeBytes > facts.SizeBytes {
			continue
		}
		section := io.NewSectionReader(device, partition.StartBytes, partition.SizeBytes)
		if report, err := probe.Scan(section, partition.SizeBytes); err == nil {
			inside[partition.KernelName] = report.Signatures
		}
	}
	return inside
}

// Distinct rejects every device that shares its identity with another one:
// writing to either would write to both. Ignored devices are not compared.
func Distinct(found []Disk) []Disk {
	byID := map[string][]string{}
	for _, one := range found {
		if one.Verdict.State != disk.Ignored {
			id := one.Facts.StableID()
			byID[id] = append(byID[id], one.Facts.KernelName)
		}
	}
	out := slices.Clone(found)
	for i, one := range out {
		names := byID[one.Facts.StableID()]
		if one.Verdict.State == disk.Available && len(names) > 1 {
			slices.Sort(names)
			out[i].Verdict = disk.Duplicate(names)
		}
	}
	return out
}

// Stuck remembers which devices a probe still waits for.
type Stuck struct {
	// Answered is called with the name of a device that answered after all, when
	// its probe had been given up. It may be nil.
	Answered func(name string)

	mu    sync.Mutex
	names map[string]waiting
}

// waiting is what somebody does about a running probe.
type waiting int

const (
	awaited waiting = iota + 1
	givenUp
)

// enter reports whether no other probe of the device is running, and remembers
// this one.
func (s *Stuck) enter(name string) bool {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[name] != 0 {
		return false
	}
	if s.names == nil {
		s.names = map[string]waiting{}
	}
	s.names[name] = awaited
	return true
}

// late notes that nobody waits for the probe any longer.
func (s *Stuck) late(name string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[name] != 0 {
		s.names[name] = givenUp
	}
}

func (s *Stuck) leave(name string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	was := s.names[name]
	delete(s.names, name)
	s.mu.Unlock()
	if was == givenUp && s.Answered != nil {
		s.Answered(name)
	}
}
