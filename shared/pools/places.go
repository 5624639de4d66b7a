package pools

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Places are where new pools could keep data.
type Places struct {
	Tree ceph.OSDTree
	// MinSize is how many copies of a new replicated pool must be there for it to
	// serve; 0 if that follows from its size.
	MinSize int
}

// ReadPlaces reads where new pools could keep data.
func ReadPlaces(ctx context.Context, client ceph.Client) (*Places, error) {
	tree, err := client.OSDTree(ctx)
	if err != nil {
		return nil, fmt.Errorf("read OSD tree: %w", err)
	}
	least, err := client.ConfigGet(ctx, "mon", "osd_pool_default_min_size")
	if err != nil {
		return nil, fmt.Errorf("read default min_size: %w", err)
	}
	return &Places{Tree: tree, MinSize: number(least)}, nil
}

// missing says what the cluster lacks for the new pool to serve. In doubt it lacks
// nothing: a rule or profile that is there may place in ways that are not known here.
func (d *decision) missing(rule *ceph.CrushRule) string {
	if d.seen.Places == nil || d.placedByOthers(rule) {
		return ""
	}
	want, all := d.wantPlacement(), readNodes(d.seen.Places.Tree)
	root, found := all.named(want.root)
	if !found {
		return fmt.Sprintf("Pool '%s' needs the CRUSH bucket '%s', and there is none; correct `crushRoot`, or wait for its OSDs", d.name, want.root)
	}
	below := all.below(root)
	least, count := d.leastDomains(), below.domains(want)
	if count >= least {
		return ""
	}
	classes, types := below.classes(), below.types()
	switch {
	case want.class != "" && len(types) > 0 && !slices.Contains(classes, want.class):
		return fmt.Sprintf("Pool '%s' needs OSDs of device class '%s', and there are none; correct `deviceClass` (known: %s), or add such OSDs",
			d.name, want.class, listed(classes))
	case len(types) > 0 && !slices.Contains(types, want.domain):
		return fmt.Sprintf("Pool '%s' needs failure domains of type %s, and there are none; correct `failureDomain` (known: %s), or add some with OSDs",
			d.name, want.domain, listed(types))
	}
	return d.tooFew(want, least, count)
}

// tooFew words that more failure domains are needed than there are.
func (d *decision) tooFew(want placement, least, count int) string {
	kind, add, fewer, are := want.domain, want.domain+"s with OSDs", "a smaller size", "are"
	if want.class != "" {
		kind += " with OSDs of class '" + want.class + "'"
	}
	if want.domain == osdType {
		add = "OSDs"
	}
	if d.wantType() == ceph.PoolErasure {
		fewer = "fewer chunks"
	}
	if count == 1 {
		are = "is"
	}
	return fmt.Sprintf("Pool '%s' needs at least %d failure domains of type %s to serve, and there %s %d; add %s, choose %s, or another failureDomain",
		d.name, least, kind, are, count, add, fewer)
}

// placedByOthers tells that the pool will be placed as somebody said in Ceph: by a
// rule that is not simple, or by a rule or profile for an erasure code.
func (d *decision) placedByOthers(rule *ceph.CrushRule) bool {
	switch {
	case d.wantType() == ceph.PoolReplicated:
		return rule != nil && !simple(rule)
	case rule != nil:
		return true
	case d.seen.Profile == nil:
		return false
	}
	for key, value := range d.profile() {
		if d.seen.Profile[key] != value {
			return true
		}
	}
	return false
}

// leastDomains is how many failure domains the new pool needs to serve; 0 if Ceph
// chooses the number of its copies.
func (d *decision) leastDomains() int {
	size := int(d.spec.Replicated.Size)
	least, each := size-size/2, int(d.spec.Replicated.ReplicasPerFailureDomain)
	if d.seen.Places.MinSize > 0 {
		least = min(d.seen.Places.MinSize, size)
	}
	if coded := d.spec.ErasureCoded; d.wantType() == ceph.PoolErasure {
		least, each = int(coded.DataChunks+min(1, coded.CodingChunks-1)), int(coded.CrushOSDsPerFailureDomain)
	}
	if given := number(d.spec.Parameters["min_size"]); given > 0 {
		least = given
	}
	each = max(1, each)
	return (least + each - 1) / each
}

func listed(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
