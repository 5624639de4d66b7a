package cephtest

import (
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Entry is one command that somebody sent.
type Entry struct {
	// Target is "mon" or "mgr".
	Target string
	// Command is what was sent.
	Command ceph.Command
	// Write is true for commands that change the cluster.
	Write bool
}

type fault struct {
	prefix string
	err    error
	lost   bool
}

type before struct {
	prefix string
	do     func()
}

// FailNext makes the next command with this prefix fail with err without being
// executed. Faults of one prefix queue up. "connect" fails the next Dial.
func (c *Cluster) FailNext(prefix string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, fault{prefix: prefix, err: err})
}

// LoseReply makes the next command with this prefix be executed while its
// sender sees ErrUnreachable.
func (c *Cluster) LoseReply(prefix string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, fault{prefix: prefix, lost: true})
}

// Before runs do once, just before the next command with this prefix is
// executed. It may call methods of the Cluster.
func (c *Cluster) Before(prefix string, do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.befores = append(c.befores, before{prefix: prefix, do: do})
}

// IsWrite tells whether commands with this prefix change the cluster.
func IsWrite(prefix string) bool { return commands()[prefix].writes }

// Commands returns every command sent so far, in order, with its target.
func (c *Cluster) Commands() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// Writes returns how many commands that change the cluster were sent.
func (c *Cluster) Writes() int {
	writes := 0
	for _, entry := range c.Commands() {
		if entry.Write {
			writes++
		}
	}
	return writes
}

// Sent returns how many commands with this prefix were sent.
func (c *Cluster) Sent(prefix string) int {
	sent := 0
	for _, entry := range c.Commands() {
		if entry.Command.Prefix == prefix {
			sent++
		}
	}
	return sent
}

// ForgetCommands empties the command log, so that Writes counts from here.
func (c *Cluster) ForgetCommands() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = nil
}

func (c *Cluster) takeFault(prefix string) error {
	i := slices.IndexFunc(c.faults, func(f fault) bool { return f.prefix == prefix })
	if i < 0 || c.faults[i].lost {
		return nil
	}
	err := c.faults[i].err
	c.faults = slices.Delete(c.faults, i, i+1)
	return err
}

func (c *Cluster) takeLostReply(prefix string) bool {
	i := slices.IndexFunc(c.faults, func(f fault) bool { return f.prefix == prefix && f.lost })
	if i < 0 {
		return false
	}
	c.faults = slices.Delete(c.faults, i, i+1)
	return true
}

func (c *Cluster) runBefore(prefix string) {
	c.mu.Lock()
	i := slices.IndexFunc(c.befores, func(b before) bool { return b.prefix == prefix })
	if i < 0 {
		c.mu.Unlock()
		return
	}
	do := c.befores[i].do
	c.befores = slices.Delete(c.befores, i, i+1)
	c.mu.Unlock()
	do()
}
