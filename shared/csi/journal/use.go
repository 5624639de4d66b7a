package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	keyFormat       = "rook.format"
	keyHolder       = "rook.holder"
	keyGroup        = "rook.subvolumegroup"
	keyCopy         = "rook.copy"
	userPrefix      = "rook.user."
	publishedPrefix = "rook.published."
	claimLock       = "rook.claim"
)

// Lease bounds how long somebody who crashed in Locked keeps others waiting.
const Lease = 30 * time.Second

// ErrHeld is returned for a volume that another node has.
var ErrHeld = errors.New("volume is held by another node")

// Format is how far the file system of a volume has come.
type Format struct {
	// State is empty before the first format.
	State FormatState `json:"state,omitempty"`
	// Type is the file system: ext4, xfs.
	Type string `json:"type,omitempty"`
}

// FormatState is a step of formatting.
type FormatState string

const (
	// Formatting means that mkfs was started on a blank device. It may have ended.
	Formatting FormatState = "formatting"
	// Formatted means that mkfs ended, or that a file system was found; never
	// format again.
	Formatted FormatState = "formatted"
)

// Holder is the client that has a volume attached for writing.
type Holder struct {
	// Node is the name of the Kubernetes node.
	Node string `json:"node"`
	// Address is the client's address with its nonce, empty until the client is up.
	Address string `json:"address,omitempty"`
	// Backend is how it is attached: krbd, rbd-nbd or fuse.
	Backend string `json:"backend,omitempty"`
}

// Copy is the snapshot that a volume is filled with.
type Copy struct {
	// Group and Subvolume are where the snapshot is.
	Group     string `json:"group,omitempty"`
	Subvolume string `json:"subvolume"`
	// Snapshot is empty for one that is taken for this copy, has the name of the new
	// subvolume and goes after it.
	Snapshot string `json:"snapshot,omitempty"`
}

// Access is how a volume is published to a node.
type Access string

const (
	// Writer is the only node that may have the volume.
	Writer Access = "writer"
	// SharedWriter is one of several nodes that may write.
	SharedWriter Access = "shared-writer"
	// Reader never writes.
	Reader Access = "reader"
)

// readUse reads our own keys.
func (e *Entry) readUse(values map[string]string) error {
	if text := values[keyFormat]; text != "" {
		if err := json.Unmarshal([]byte(text), &e.Format); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrInconsistent, keyFormat, err)
		}
	}
	if text := values[keyCopy]; text != "" {
		e.Copy = &Copy{}
		if err := json.Unmarshal([]byte(text), e.Copy); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrInconsistent, keyCopy, err)
		}
	}
	if text := values[keyHolder]; text != "" {
		e.Holder = &Holder{}
		if err := json.Unmarshal([]byte(text), e.Holder); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrInconsistent, keyHolder, err)
		}
	}
	for key, value := range values {
		if volume, found := strings.CutPrefix(key, userPrefix); found {
			e.Users = append(e.Users, volume)
		}
		if node, found := strings.CutPrefix(key, publishedPrefix); found {
			if e.Published == nil {
				e.Published = map[string]Access{}
			}
			e.Published[node] = Access(value)
		}
	}
	slices.Sort(e.Users)
	return nil
}

// AddUser records that a volume shows the snapshot id without a copy. A snapshot
// that is not recorded is ceph.ErrNotFound. The caller keeps others from
// removing the snapshot meanwhile.
func (j Journal) AddUser(ctx context.Context, id, volume string) error {
	entry, err := j.Entry(ctx, id)
	if err != nil {
		return err
	}
	if slices.Contains(entry.Users, volume) {
		return nil
	}
	return j.set(ctx, id, userPrefix+volume, entry.Image)
}

// RemoveUser records that a volume no longer shows the snapshot id.
func (j Journal) RemoveUser(ctx context.Context, id, volume string) error {
	err := j.Omaps.RemoveOmap(ctx, j.entry(id), userPrefix+volume)
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("write journal entry %s: %w", id, err)
	}
	return nil
}

// Copied records that a volume is full.
func (j Journal) Copied(ctx context.Context, id string) error {
	err := j.Omaps.RemoveOmap(ctx, j.entry(id), keyCopy)
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("remove %s of journal entry %s: %w", keyCopy, id, err)
	}
	return nil
}

// SetFormat records how far formatting has come.
func (j Journal) SetFormat(ctx context.Context, id string, format Format) error {
	text, err := json.Marshal(format)
	if err != nil {
		return fmt.Errorf("encode format: %w", err)
	}
	return j.set(ctx, id, keyFormat, string(text))
}

// SetHolder records who has the volume attached for writing; nil says nobody.
func (j Journal) SetHolder(ctx context.Context, id string, holder *Holder) error {
	if holder == nil {
		err := j.Omaps.RemoveOmap(ctx, j.entry(id), keyHolder)
		if err != nil && !errors.Is(err, ceph.ErrNotFound) {
			return fmt.Errorf("remove %s of journal entry %s: %w", keyHolder, id, err)
		}
		return nil
	}
	text, err := json.Marshal(holder)
	if err != nil {
		return fmt.Errorf("encode holder: %w", err)
	}
	return j.set(ctx, id, keyHolder, string(text))
}

// Claim makes the node the holder, unless another node is: ErrHeld. Two claims
// at the same time are one after the other. It returns the entry as it was when the node
// became the holder: what was read earlier may be what another node has changed since.
func (j Journal) Claim(ctx context.Context, id string, holder Holder) (Entry, error) {
	var before Entry
	err := j.Locked(ctx, id, func(entry Entry) error {
		before = entry
		if held := entry.Holder; held != nil && held.Node != holder.Node {
			return fmt.Errorf("%w: %s (client %s); it can move when that node lets go or is fenced", ErrHeld, held.Node, held.Address)
		}
		return j.SetHolder(ctx, id, &holder)
	})
	if err != nil {
		return Entry{}, err
	}
	return before, nil
}

// Publish records that the controller attached the volume to a node. A Writer is
// refused beside any other node, and so is any other node beside a Writer.
func (j Journal) Publish(ctx context.Context, id, node string, access Access) error {
	return j.Locked(ctx, id, func(entry Entry) error {
		for other, theirs := range entry.Published {
			if other != node && (access == Writer || theirs == Writer) {
				return fmt.Errorf("%w: it is attached to %s as %s", ErrHeld, other, theirs)
			}
		}
		if held := entry.Holder; held != nil && held.Node != node && access != Reader {
			return fmt.Errorf("%w: %s (client %s); it can move when that node lets go or is fenced", ErrHeld, held.Node, held.Address)
		}
		if entry.Published[node] == access {
			return nil
		}
		return j.set(ctx, id, publishedPrefix+node, string(access))
	})
}

// Unpublish records that the volume is no longer attached to a node.
func (j Journal) Unpublish(ctx context.Context, id, node string) error {
	err := j.Omaps.RemoveOmap(ctx, j.entry(id), publishedPrefix+node)
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("write journal entry %s: %w", id, err)
	}
	return nil
}

// Locked runs do with the entry while nobody else claims the volume or changes its size,
// for as long as Lease. It is ceph.ErrBusy while somebody does.
func (j Journal) Locked(ctx context.Context, id string, do func(Entry) error) error {
	cookie := uuid.NewString()
	if err := j.Omaps.Lock(ctx, j.entry(id), claimLock, cookie, Lease); err != nil {
		return fmt.Errorf("claim volume %s: %w", id, err)
	}
	entry, err := j.Entry(ctx, id)
	if err == nil {
		err = do(entry)
	}
	unlocked := j.Omaps.Unlock(context.WithoutCancel(ctx), j.entry(id), claimLock, cookie)
	if unlocked != nil && !errors.Is(unlocked, ceph.ErrNotFound) {
		err = errors.Join(err, fmt.Errorf("end claim of volume %s: %w", id, unlocked))
	}
	return err
}
