package inventory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// Devices remembers what the last look at each device of the node gave, and
// which devices have to be looked at again. Its methods may be called from
// several goroutines.
type Devices struct {
	scanner scan.Scanner

	mu      sync.Mutex
	known   map[string]scan.Disk
	touched map[string]bool
	all     bool
}

// NewDevices returns Devices that have not been looked at. The scanner's Stuck
// is replaced, so that a device that answers late is looked at again; wake is
// called then.
func NewDevices(scanner scan.Scanner, wake func()) *Devices {
	d := &Devices{known: map[string]scan.Disk{}, touched: map[string]bool{}, all: true}
	scanner.Stuck = &scan.Stuck{Answered: func(name string) {
		d.Touch(name)
		wake()
	}}
	d.scanner = scanner
	return d
}

// Touch marks devices that may have changed.
func (d *Devices) Touch(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		if name != "" {
			d.touched[name] = true
		}
	}
}

// TouchAll marks everything, including devices that are not known yet.
func (d *Devices) TouchAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = true
}

// Look looks at the devices that were touched since the last call and returns
// all that are known, by kernel name. scanned is how many were looked at. After
// an error the same devices are still marked; what could be read is returned.
func (d *Devices) Look(ctx context.Context) (seen []scan.Disk, scanned int, err error) {
	names, all, err := d.take()
	if err != nil {
		return nil, 0, err
	}
	if len(names) > 0 || all {
		found, failed := d.scanner.Some(ctx, names)
		d.put(names, all, found, failed != nil)
		scanned, err = len(names), failed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	seen = slices.SortedFunc(maps.Values(d.known), func(a, b scan.Disk) int {
		return strings.Compare(a.Facts.KernelName, b.Facts.KernelName)
	})
	return scan.Distinct(seen), scanned, err
}

// take returns what has to be looked at, and clears the marks.
func (d *Devices) take() (names []string, all bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all {
		if names, err = d.scanner.Host.Names(); err != nil {
			return nil, false, err
		}
		d.all, d.touched = false, map[string]bool{}
		return names, true, nil
	}
	for name := range d.touched {
		d.reach(name)
	}
	names = slices.Sorted(maps.Keys(d.touched))
	d.touched = map[string]bool{}
	return names, false, nil
}

// reach marks the disks below a stacked device: it holds them now, or did so
// when they were looked at last.
func (d *Devices) reach(name string) {
	for _, below := range d.scanner.Host.Slaves(name) {
		d.touched[below] = true
	}
	for below, known := range d.known {
		if holds(known.Facts, name) {
			d.touched[below] = true
		}
	}
}

func holds(facts disk.Facts, name string) bool {
	is := func(holder disk.Holder) bool { return holder.KernelName == name }
	return slices.ContainsFunc(facts.Holders, is) || slices.ContainsFunc(facts.Partitions, func(p disk.Partition) bool {
		return slices.ContainsFunc(p.Holders, is)
	})
}

// put replaces what is known of the named devices by what was found.
func (d *Devices) put(names []string, all bool, found []scan.Disk, failed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if failed {
		for _, name := range names {
			d.touched[name] = true
		}
		d.all = d.all || all
	} else if all {
		d.known = map[string]scan.Disk{}
	} else {
		for _, name := range names {
			delete(d.known, name)
		}
	}
	for _, one := range found {
		d.known[one.Facts.KernelName] = one
	}
}
