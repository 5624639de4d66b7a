package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

const (
	keyImage           = "csi.imagename"
	keyImageID         = "csi.imageid"
	keyOwner           = "csi.volume.owner"
	keyKMS             = "csi.volume.encryptKMS"
	keyJournalPool     = "csi.journalpool"
	keySource          = "csi.source"
	keyBackingSnapshot = "csi.volume.backingsnapshotid"
)

// Kind is what a journal records.
type Kind int

const (
	// Volumes are images or subvolumes.
	Volumes Kind = iota
	// Snapshots are snapshots of them.
	Snapshots
)

// words are the names of objects and keys, which depend on the kind.
type words struct {
	directory string
	// prefix starts the keys of the directory and the names of entries.
	prefix      string
	request     string
	imagePrefix string
	seed        string
}

func (k Kind) words() words {
	if k == Snapshots {
		return words{"csi.snaps.default", "csi.snap.", "csi.snapname", csi.DefaultSnapshotNamePrefix, "rook-ceph/snapshot/"}
	}
	return words{"csi.volumes.default", "csi.volume.", "csi.volname", csi.DefaultVolumeNamePrefix, "rook-ceph/volume/"}
}

// ErrInconsistent is returned when two records contradict each other. Nothing
// is changed then: only a person can tell which one is right.
var ErrInconsistent = errors.New("journal is inconsistent")

// Request is what a new volume is reserved for.
type Request struct {
	// Name is the name that the container orchestrator gave, unique per volume.
	Name string
	// ClusterID goes into the uuid, so that two Kubernetes clusters that share
	// a pool never share a volume.
	ClusterID string
	// ImagePrefix precedes the uuid in the name of the image.
	ImagePrefix string
	// Owner is the namespace of the claim.
	Owner string
	// Source is the image or subvolume that a snapshot is taken of.
	Source string
	// BackingSnapshot is the handle of the snapshot that a volume shows without
	// a copy.
	BackingSnapshot string
	// Group is the subvolume group if it is not the default one.
	Group string
	// Copy is what a volume is to be filled with, nil for an empty one.
	Copy *Copy
}

// Entry is the record of one volume.
type Entry struct {
	UUID    string
	Request string
	Image   string
	ImageID string
	Owner   string
	KMS     string
	// Source, BackingSnapshot and Group are as in Request.
	Source          string
	BackingSnapshot string
	Group           string
	// Users are the uuids of the volumes that show a snapshot without a copy.
	Users []string
	// Copy is what a volume is being filled with; nil once it is full, so that
	// nobody was told of a volume whose record has it.
	Copy *Copy
	// PoolID is the pool of the image when it is not the journal's, else -1.
	PoolID int64
	Format Format
	Holder *Holder
	// Published maps the nodes that the volume was attached to by the
	// controller to how.
	Published map[string]Access
}

// Journal is the record of one pool, or of one namespace of it.
type Journal struct {
	Omaps storage.Omaps
	Kind  Kind
}

// entry is the object that holds the record of a volume or snapshot.
func (j Journal) entry(id string) string { return j.Kind.words().prefix + id }

// Find returns the volume that was reserved for a request; found is false when
// there is none or when the reservation never got beyond its first write.
func (j Journal) Find(ctx context.Context, request string) (entry Entry, found bool, err error) {
	at := j.Kind.words()
	values, err := j.Omaps.Omap(ctx, at.directory, at.prefix+request)
	if errors.Is(err, ceph.ErrNotFound) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, fmt.Errorf("read journal of %q: %w", request, err)
	}
	value, found := values[at.prefix+request]
	if !found {
		return Entry{}, false, nil
	}
	pool, id, err := parseReference(value)
	if err != nil {
		return Entry{}, false, fmt.Errorf("read journal of %q: %w", request, err)
	}
	entry, err = j.Entry(ctx, id)
	if errors.Is(err, ceph.ErrNotFound) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, err
	}
	if entry.Request == "" {
		return Entry{}, false, nil
	}
	if entry.Request != request {
		return Entry{}, false, fmt.Errorf("%w: request %q leads to volume %s, which was made for %q",
			ErrInconsistent, request, id, entry.Request)
	}
	entry.PoolID = pool
	return entry, true, nil
}

// Entry reads the record of a volume, ceph.ErrNotFound if there is none.
func (j Journal) Entry(ctx context.Context, id string) (Entry, error) {
	values, err := j.Omaps.Omap(ctx, j.entry(id))
	if err != nil {
		return Entry{}, fmt.Errorf("read journal entry %s: %w", id, err)
	}
	entry := Entry{
		UUID:    id,
		Request: values[j.Kind.words().request],
		Image:   values[keyImage],
		ImageID: values[keyImageID],
		Owner:   values[keyOwner],
		KMS:     values[keyKMS],
		Source:  values[keySource],
		Group:   values[keyGroup],
		PoolID:  -1,

		BackingSnapshot: values[keyBackingSnapshot],
	}
	if entry.Image == "" {
		entry.Image = j.Kind.words().imagePrefix + id
	}
	if err := entry.readUse(values); err != nil {
		return Entry{}, fmt.Errorf("read journal entry %s: %w", id, err)
	}
	return entry, nil
}

// Reserve records a new volume for a request and returns its record. Repeating
// it, also at the same time elsewhere, gives the same record. The entry is
// written before the name leads to it, so a name never leads to nothing.
func (j Journal) Reserve(ctx context.Context, request Request) (Entry, error) {
	at := j.Kind.words()
	prefix := request.ImagePrefix
	if prefix == "" {
		prefix = at.imagePrefix
	}
	id := j.UUID(request)
	entry := Entry{
		UUID: id, Request: request.Name, Image: prefix + id, Owner: request.Owner, PoolID: -1,
		Source: request.Source, BackingSnapshot: request.BackingSnapshot, Group: request.Group, Copy: request.Copy,
	}
	values := map[string]string{at.request: entry.Request, keyImage: entry.Image}
	for key, value := range map[string]string{
		keyOwner: entry.Owner, keySource: entry.Source, keyBackingSnapshot: entry.BackingSnapshot, keyGroup: entry.Group,
	} {
		if value != "" {
			values[key] = value
		}
	}
	if request.Copy != nil {
		text, err := json.Marshal(request.Copy)
		if err != nil {
			return Entry{}, fmt.Errorf("encode copy: %w", err)
		}
		values[keyCopy] = string(text)
	}
	if err := j.Omaps.SetOmap(ctx, j.entry(id), values); err != nil {
		return Entry{}, fmt.Errorf("write journal entry %s: %w", id, err)
	}
	if err := j.Omaps.SetOmap(ctx, at.directory, map[string]string{at.prefix + request.Name: id}); err != nil {
		return Entry{}, fmt.Errorf("write journal of %q: %w", request.Name, err)
	}
	return entry, nil
}

// SetImageID records which image was made, so that a later one of the same name
// is never mistaken for it.
func (j Journal) SetImageID(ctx context.Context, id, image string) error {
	return j.set(ctx, id, keyImageID, image)
}

// StaticEntry names the entry of a volume that was not provisioned by us. It holds who
// has the volume and how far its file system has come, and never more.
func StaticEntry(image string) string { return "rook.static." + image }

func (j Journal) set(ctx context.Context, id, key, value string) error {
	if err := j.Omaps.SetOmap(ctx, j.entry(id), map[string]string{key: value}); err != nil {
		return fmt.Errorf("write %s of journal entry %s: %w", key, id, err)
	}
	return nil
}

// Forget removes the record of a volume after its image is gone: first the
// name, if it leads to this entry, and last the entry, by which a deletion that
// was interrupted is found again.
func (j Journal) Forget(ctx context.Context, entry Entry) error {
	if err := j.forgetRequest(ctx, entry.Request, entry.UUID); err != nil {
		return err
	}
	if err := j.Omaps.RemoveObject(ctx, j.entry(entry.UUID)); err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("remove journal entry %s: %w", entry.UUID, err)
	}
	return nil
}

// forgetRequest removes the name of a request if it leads to the given entry.
func (j Journal) forgetRequest(ctx context.Context, request, id string) error {
	if request == "" {
		return nil
	}
	at := j.Kind.words()
	values, err := j.Omaps.Omap(ctx, at.directory, at.prefix+request)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read journal of %q: %w", request, err)
	}
	if !leadsTo(values[at.prefix+request], id) {
		return nil
	}
	if err := j.Omaps.RemoveOmap(ctx, at.directory, at.prefix+request); err != nil {
		return fmt.Errorf("remove journal of %q: %w", request, err)
	}
	return nil
}

// Requests returns all request names with the uuid that each leads to.
func (j Journal) Requests(ctx context.Context) (map[string]string, error) {
	at := j.Kind.words()
	values, err := j.Omaps.Omap(ctx, at.directory)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list journal: %w", err)
	}
	requests := make(map[string]string, len(values))
	for key, value := range values {
		name, found := strings.CutPrefix(key, at.prefix)
		if !found {
			continue
		}
		if _, id, err := parseReference(value); err == nil {
			requests[name] = id
		}
	}
	return requests, nil
}

// UUID returns the uuid that a request reserves: the same for the same request
// at any time and place.
func (j Journal) UUID(request Request) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(j.Kind.words().seed+request.ClusterID+"/"+request.Name)).String()
}

// leadsTo tells whether a reference, which may be missing or mangled, leads to
// the entry id.
func leadsTo(reference, id string) bool {
	_, led, err := parseReference(reference)
	return err == nil && led == id
}

// parseReference reads "<uuid>" or "<pool id as 16 hex digits>/<uuid>".
func parseReference(value string) (pool int64, id string, err error) {
	text, rest, split := strings.Cut(value, "/")
	if !split {
		rest, pool = value, -1
	} else {
		number, err := strconv.ParseUint(text, 16, 63)
		if err != nil {
			return 0, "", fmt.Errorf("%w: reference %q", ErrInconsistent, value)
		}
		pool = int64(number)
	}
	if _, err := uuid.Parse(rest); err != nil {
		return 0, "", fmt.Errorf("%w: reference %q", ErrInconsistent, value)
	}
	return pool, rest, nil
}
