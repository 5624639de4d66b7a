package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"k8s.io/utils/clock"
)

const (
	// atOnce is how many shards of a log are asked about at the same time.
	atOnce = 8
	// maxShards bounds what a gateway can make us ask.
	maxShards = 1024
	// emptySHA256 is the hash of no body.
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Period is what a gateway takes the realm for.
type Period struct {
	ID         string
	MasterZone string
	Groups     []ZoneGroup
}

// ZoneGroup is one zone group of a Period.
type ZoneGroup struct {
	ID, Name string
	Zones    []Zone
}

// Zone is one zone of a ZoneGroup.
type Zone struct {
	ID, Name  string
	Endpoints []string
	// FromAll tells that it copies from all zones of its zone group, and From names
	// those that it copies from otherwise.
	FromAll bool
	From    []string
}

// Period reads the realm as the gateways know it.
func (c *Client) Period(ctx context.Context) (Period, error) {
	var reply struct {
		ID         string `json:"id"`
		MasterZone string `json:"master_zone"`
		Map        struct {
			ZoneGroups []struct {
				ID    string `json:"id"`
				Name  string `json:"name"`
				Zones []struct {
					ID        string   `json:"id"`
					Name      string   `json:"name"`
					Endpoints []string `json:"endpoints"`
					FromAll   flag     `json:"sync_from_all"`
					From      []string `json:"sync_from"`
				} `json:"zones"`
			} `json:"zonegroups"`
		} `json:"period_map"`
	}
	if err := c.link().get(ctx, "/admin/realm/period", nil, &reply); err != nil {
		return Period{}, told("read period", err)
	}
	period := Period{ID: reply.ID, MasterZone: reply.MasterZone}
	for _, group := range reply.Map.ZoneGroups {
		made := ZoneGroup{ID: group.ID, Name: group.Name}
		for _, zone := range group.Zones {
			made.Zones = append(made.Zones, Zone{ID: zone.ID, Name: zone.Name, Endpoints: zone.Endpoints, FromAll: bool(zone.FromAll), From: zone.From})
		}
		period.Groups = append(period.Groups, made)
	}
	return period, nil
}

// flag is a boolean that some releases write as text.
type flag bool

func (f *flag) UnmarshalJSON(body []byte) error {
	switch string(body) {
	case `true`, `"true"`, `1`:
		*f = true
	case `false`, `"false"`, `0`, `""`, `null`:
		*f = false
	default:
		return fmt.Errorf("flag %.20s: %w", body, ErrInvalid)
	}
	return nil
}

// Progress is how far a zone has got with copying from another.
type Progress struct {
	// Period that is being copied; of metadata only.
	Period string
	// Syncing is false until it is known what there is to copy.
	Syncing bool
	// Shards of the log, by number.
	Shards []Shard
}

// Shard is how far one shard of a log has been copied.
type Shard struct {
	// Following is false while what was there before the log is copied.
	Following bool
	Marker    string
}

// MetadataProgress tells how far the zone has copied users and buckets from the
// master zone. It is ErrNotFound where nobody copies.
func (c *Client) MetadataProgress(ctx context.Context) (Progress, error) {
	return c.progress(ctx, "metadata", url.Values{"type": {"metadata"}, "status": {""}})
}

// DataProgress tells how far the zone has copied objects from another.
func (c *Client) DataProgress(ctx context.Context, zoneID string) (Progress, error) {
	return c.progress(ctx, "data", url.Values{"type": {"data"}, "status": {""}, "source-zone": {zoneID}})
}

func (c *Client) progress(ctx context.Context, what string, query url.Values) (Progress, error) {
	var reply progressReply
	err := c.link().get(ctx, "/admin/log", query, &reply)
	if err == nil && (reply.Info.Shards < 0 || reply.Info.Shards > maxShards) {
		err = fmt.Errorf("%d shards: %w", reply.Info.Shards, ErrInvalid)
	}
	if err != nil {
		return Progress{}, told("read progress of "+what, err)
	}
	return reply.progress(), nil
}

// progressReply is the status of a log.
type progressReply struct {
	Info struct {
		Status string `json:"status"`
		Shards int    `json:"num_shards"`
		Period string `json:"period"`
	} `json:"info"`
	Markers []struct {
		Key int `json:"key"`
		Val struct {
			// State is a number for metadata; Status is a word for data.
			State  int    `json:"state"`
			Status string `json:"status"`
			Marker string `json:"marker"`
		} `json:"val"`
	} `json:"markers"`
}

func (r *progressReply) progress() Progress {
	const following = 1
	made := Progress{Period: r.Info.Period, Syncing: r.Info.Status == "sync", Shards: make([]Shard, r.Info.Shards)}
	for _, one := range r.Markers {
		if one.Key >= 0 && one.Key < len(made.Shards) {
			made.Shards[one.Key] = Shard{Following: one.Val.State == following || one.Val.Status == "incremental-sync", Marker: one.Val.Marker}
		}
	}
	return made
}

// MetadataLog gives the end of each shard of the log of users and buckets in a period.
func (p *Peer) MetadataLog(ctx context.Context, period string, shards int) ([]string, error) {
	ends, err := p.logEnds(ctx, url.Values{"type": {"metadata"}, "period": {period}}, shards)
	return ends, told("read log of metadata", err)
}

// DataLog gives the end of each shard of the log of objects.
func (p *Peer) DataLog(ctx context.Context, shards int) ([]string, error) {
	ends, err := p.logEnds(ctx, url.Values{"type": {"data"}}, shards)
	return ends, told("read log of data", err)
}

func (p *Peer) logEnds(ctx context.Context, query url.Values, shards int) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ends, numbers := make([]string, shards), make(chan int)
	var workers sync.WaitGroup
	for range min(atOnce, shards) {
		workers.Go(func() {
			for number := range numbers {
				end, err := p.logEnd(ctx, query, number)
				if err != nil {
					cancel(err)
				}
				ends[number] = end
			}
		})
	}
	for number := range shards {
		if ctx.Err() != nil {
			break
		}
		numbers <- number
	}
	close(numbers)
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return ends, nil
}

func (p *Peer) logEnd(ctx context.Context, query url.Values, number int) (string, error) {
	own := url.Values{"id": {strconv.Itoa(number)}, "info": {""}}
	for key, values := range query {
		own[key] = slices.Clone(values)
	}
	var reply struct {
		Marker string `json:"marker"`
	}
	err := p.link.get(ctx, "/admin/log", own, &reply)
	return reply.Marker, err
}

// Peer is a gateway of another zone of the realm, which tells how long its logs are.
type Peer struct{ link link }

// Peer speaks to a gateway of another zone with the same keys: all zones have their
// user.
func (c *Client) Peer(endpoint string) *Peer {
	there := c.link()
	there.endpoint, there.failed = endpoint, func(error) {} // its silence says nothing of our own keys
	return &Peer{there}
}

// link sends requests that the library has no words for.
type link struct {
	endpoint string
	keys     aws.Credentials
	http     *http.Client
	clock    clock.PassiveClock
	failed   func(error)
}

func (c *Client) link() link {
	keys := aws.Credentials{AccessKeyID: c.api.AccessKey, SecretAccessKey: c.api.SecretKey}
	return link{endpoint: c.endpoint, keys: keys, http: c.http, clock: c.clock, failed: c.failed}
}

// get sends one signed request.
func (l link) get(ctx context.Context, path string, query url.Values, into any) error {
	full := url.Values{"format": {"json"}}
	for key, values := range query {
		full[key] = values
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.endpoint+path+"?"+full.Encode(), http.NoBody)
	if err != nil {
		return &Error{Code: "InvalidEndpoint", Kind: ErrInvalid}
	}
	request.Header.Set("X-Amz-Content-Sha256", emptySHA256)
	if err := v4.NewSigner().SignHTTP(ctx, l.keys, request, emptySHA256, "s3", region, l.clock.Now()); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	reply, err := admins{http: l.http, failed: l.failed}.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return silence(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &Error{Code: "MalformedReply", Status: reply.StatusCode}
	}
	return nil
}
