package journal

import (
	"context"
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
	directory      = "csi.volumes.default"
	requestPrefix  = "csi.volume."
	entryPrefix    = "csi.volume."
	keyRequest     = "csi.volname"
	keyImage       = "csi.imagename"
	keyImageID     = "csi.imageid"
	keyOwner       = "csi.volume.owner"
	keyKMS         = "csi.volume.encryptKMS"
	keyJournalPool = "csi.journalpool"
)

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
}

// Entry is the record of one volume.
type Entry struct {
	UUID    string
	Request string
	Image   string
	ImageID string
	Owner   string
	KMS     string
	// PoolID is the pool of the image when it is not the journal's, else -1.
	PoolID int64
	Format Format
	Holder *Holder
	// Published maps the nodes that the volume was attached to by the
	// controller to how.
	Published map[string]Access
}

// Journal is the record of one pool.
type Journal struct {
	Omaps storage.Omaps
}

// Find returns the volume that was reserved for a request; found is false when
// there is none or when the reservation never got beyond its first write.
func (j Journal) Find(ctx context.Context, request string) (entry Entry, found bool, err error) {
	values, err := j.Omaps.Omap(ctx, directory, requestPrefix+request)
	if errors.Is(err, ceph.ErrNotFound) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, fmt.Errorf("read journal of %q: %w", request, err)
	}
	value, found := values[requestPrefix+request]
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
	values, err := j.Omaps.Omap(ctx, entryPrefix+id)
	if err != nil {
		return Entry{}, fmt.Errorf("read journal entry %s: %w", id, err)
	}
	entry := Entry{
		UUID:    id,
		Request: values[keyRequest],
		Image:   values[keyImage],
		ImageID: values[keyImageID],
		Owner:   values[keyOwner],
		KMS:     values[keyKMS],
		PoolID:  -1,
	}
	if entry.Image == "" {
		entry.Image = csi.DefaultVolumeNamePrefix + id
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
	prefix := request.ImagePrefix
	if prefix == "" {
		prefix = csi.DefaultVolumeNamePrefix
	}
	id := UUID(request)
	entry := Entry{UUID: id, Request: request.Name, Image: prefix + id, Owner: request.Owner, PoolID: -1}
	values := map[string]string{keyRequest: entry.Request, keyImage: entry.Image}
	if entry.Owner != "" {
		values[keyOwner] = entry.Owner
	}
	if err := j.Omaps.SetOmap(ctx, entryPrefix+id, values); err != nil {
		return Entry{}, fmt.Errorf("write journal entry %s: %w", id, err)
	}
	if err := j.Omaps.SetOmap(ctx, directory, map[string]string{requestPrefix + request.Name: id}); err != nil {
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
	if err := j.Omaps.SetOmap(ctx, entryPrefix+id, map[string]string{key: value}); err != nil {
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
	if err := j.Omaps.RemoveObject(ctx, entryPrefix+entry.UUID); err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return fmt.Errorf("remove journal entry %s: %w", entry.UUID, err)
	}
	return nil
}

// forgetRequest removes the name of a request if it leads to the given entry.
func (j Journal) forgetRequest(ctx context.Context, request, id string) error {
	if request == "" {
		return nil
	}
	values, err := j.Omaps.Omap(ctx, directory, requestPrefix+request)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read journal of %q: %w", request, err)
	}
	if !leadsTo(values[requestPrefix+request], id) {
		return nil
	}
	if err := j.Omaps.RemoveOmap(ctx, directory, requestPrefix+request); err != nil {
		return fmt.Errorf("remove journal of %q: %w", request, err)
	}
	return nil
}

// Requests returns all request names with the uuid that each leads to.
func (j Journal) Requests(ctx context.Context) (map[string]string, error) {
	values, err := j.Omaps.Omap(ctx, directory)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list journal: %w", err)
	}
	requests := make(map[string]string, len(values))
	for key, value := range values {
		name, found := strings.CutPrefix(key, requestPrefix)
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
func UUID(request Request) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("rook-ceph/volume/"+request.ClusterID+"/"+request.Name)).String()
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
