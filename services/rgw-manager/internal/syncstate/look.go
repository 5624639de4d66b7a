package syncstate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// deadline bounds one look.
const deadline = 20 * time.Second

// Sight is what was seen at one moment.
type Sight struct {
	Copies []Copy
}

// Copy is what a zone copies from another.
type Copy struct {
	// Kind is metadata or data, Zone the name of the one that is copied from.
	Kind, Zone string
	Progress   ops.Progress
	// Ends are where the shards of the log of the other zone end, and Period is that
	// which a log of metadata is of.
	Ends   []string
	Period string
	// Problem says why nobody can tell; empty otherwise.
	Problem string
}

// Gateways looks through the gateways of stores.
type Gateways struct{ Pool *ops.Pool }

// Look asks the gateways of a store about the zone that it serves.
func (g Gateways) Look(ctx context.Context, store *api.CephObjectStore, zoneID string) (Sight, step.Outcome, error) {
	client, outcome, err := g.Pool.Client(ctx, store)
	if err != nil || !outcome.IsDone() {
		return Sight{}, outcome, err
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	sight, err := Look(ctx, client, zoneID)
	return sight, step.Done, err
}

// Look asks the gateways that a client reaches about their zone. There is nothing to
// see for a zone that is alone.
func Look(ctx context.Context, client *ops.Client, zoneID string) (Sight, error) {
	period, err := client.Period(ctx)
	if err != nil {
		return Sight{}, err
	}
	zone, beside, master := place(period, zoneID)
	if zone == nil {
		return Sight{}, nil // its gateways have not heard of it yet
	}
	var sight Sight
	if master != nil && master.ID != zoneID {
		sight.Copies = append(sight.Copies, metadata(ctx, client, master, period.ID))
	}
	for i := range beside {
		if zone.FromAll || slices.Contains(zone.From, beside[i].Name) {
			sight.Copies = append(sight.Copies, data(ctx, client, &beside[i]))
		}
	}
	return sight, nil
}

// place finds a zone, those beside it in its zone group, and the master of the realm.
func place(period ops.Period, zoneID string) (zone *ops.Zone, beside []ops.Zone, master *ops.Zone) {
	for _, group := range period.Groups {
		for i := range group.Zones {
			one := &group.Zones[i]
			if one.ID == period.MasterZone {
				master = one
			}
			if one.ID == zoneID {
				zone = one
				beside = slices.DeleteFunc(slices.Clone(group.Zones), func(z ops.Zone) bool { return z.ID == zoneID })
			}
		}
	}
	return zone, beside, master
}

func metadata(ctx context.Context, client *ops.Client, from *ops.Zone, period string) Copy {
	seen := Copy{Kind: api.ObjectSyncMetadata, Zone: from.Name, Period: period}
	var err error
	if seen.Progress, err = client.MetadataProgress(ctx); err != nil {
		seen.Problem = notCopied(err)
		return seen
	}
	seen.Ends, seen.Problem = ends(client, from, func(peer *ops.Peer) ([]string, error) {
		return peer.MetadataLog(ctx, period, len(seen.Progress.Shards))
	})
	return seen
}

func data(ctx context.Context, client *ops.Client, from *ops.Zone) Copy {
	seen := Copy{Kind: api.ObjectSyncData, Zone: from.Name}
	var err error
	if seen.Progress, err = client.DataProgress(ctx, from.ID); err != nil {
		seen.Problem = notCopied(err)
		return seen
	}
	seen.Ends, seen.Problem = ends(client, from, func(peer *ops.Peer) ([]string, error) {
		return peer.DataLog(ctx, len(seen.Progress.Shards))
	})
	return seen
}

func notCopied(err error) string {
	if errors.Is(err, ops.ErrNotFound) {
		return "The gateways that were asked do not copy from it"
	}
	return fmt.Sprintf("The gateways of this zone cannot tell (%s)", ops.Code(err))
}

// ends asks the first gateway of another zone that answers.
func ends(client *ops.Client, from *ops.Zone, ask func(*ops.Peer) ([]string, error)) ([]string, string) {
	if len(from.Endpoints) == 0 {
		return nil, "The realm knows no endpoint of it"
	}
	var codes []string
	for _, endpoint := range from.Endpoints {
		found, err := ask(client.Peer(strings.TrimSuffix(endpoint, "/")))
		if err == nil {
			return found, ""
		}
		codes = append(codes, fmt.Sprintf("%s (%s)", endpoint, ops.Code(err)))
	}
	return nil, "It cannot be asked at " + strings.Join(codes, ", ")
}
