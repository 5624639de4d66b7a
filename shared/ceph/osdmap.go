package ceph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"fmt"
	"io"
	"time"
)

// OSDMap is the part of "osd dump" that this project uses. It grows with the
// number of pools and OSDs: read it when it matters, do not poll it.
type OSDMap struct {
	Epoch                  uint64              `json:"epoch"`
	FSID                   string              `json:"fsid"`
	Flags                  []string            `json:"flags_set"`
	FullRatio              float64             `json:"full_ratio"`
	BackfillfullRatio      float64             `json:"backfillfull_ratio"`
	NearfullRatio          float64             `json:"nearfull_ratio"`
	RequireOSDRelease      string              `json:"require_osd_release"`
	RequireMinCompatClient string              `json:"require_min_compat_client"`
	CrushNodeFlags         map[string][]string `json:"crush_node_flags"`
	DeviceClassFlags       map[string][]string `json:"device_class_flags"`
	Pools                  []Pool              `json:"pools"`
	OSDs                   []OSDState          `json:"osds"`
}

// OSDState is one OSD in the osdmap.
type OSDState struct {
	ID          int      `json:"osd"`
	UUID        string   `json:"uuid"`
	Up          Flag     `json:"up"`
	In          Flag     `json:"in"`
	Weight      float64  `json:"weight"`
	UpFrom      uint64   `json:"up_from"`
	DownAt      uint64   `json:"down_at"`
	PublicAddrs AddrVec  `json:"public_addrs"`
	State       []string `json:"state"`
}

// Destroyed tells whether the OSD waits for a replacement under its id.
func (o OSDState) Destroyed() bool {
	for _, state := range o.State {
		if state == "destroyed" {
			return true
		}
	}
	return false
}

// Flag is a yes or no that Ceph prints as 0, 1, false or true.
type Flag bool

// UnmarshalJSON reads 0, 1, false, true.
func (f *Flag) UnmarshalJSON(body []byte) error {
	switch string(body) {
	case "0", "false", "null":
		*f = false
	case "1", "true":
		*f = true
	default:
		return fmt.Errorf("decode flag: want 0 or 1, got %q", body)
	}
	return nil
}

// MarshalJSON writes 0 or 1, as Ceph does.
func (f Flag) MarshalJSON() ([]byte, error) {
	if f {
		return []byte("1"), nil
	}
	return []byte("0"), nil
}

// OSDDump reads the osdmap.
func (c Client) OSDDump(ctx context.Context) (OSDMap, error) {
	return ask[OSDMap](ctx, c.Mon, "osd dump", nil)
}

// OSDStat is how many OSDs there are, by state.
type OSDStat struct {
	Epoch uint64 `json:"epoch"`
	Num   int    `json:"num_osds"`
	NumUp int    `json:"num_up_osds"`
	NumIn int    `json:"num_in_osds"`
}

// OSDStat reads how many OSDs there are. It costs the same at any size.
func (c Client) OSDStat(ctx context.Context) (OSDStat, error) {
	return ask[OSDStat](ctx, c.Mon, "osd stat", nil)
}

// OSDList reads the ids of all OSDs.
func (c Client) OSDList(ctx context.Context) ([]int, error) {
	return ask[[]int](ctx, c.Mon, "osd ls", nil)
}

// RequireOSDRelease forbids OSDs older than the release. It cannot be undone.
func (c Client) RequireOSDRelease(ctx context.Context, release string, answer Confirmation) error {
	args := arguments{"release": release}.confirm("yes_i_really_mean_it", answer)
	return do(ctx, c.Mon, "osd require-osd-release", args)
}

// SetRequireMinCompatClient refuses clients older than the release; without
// confirmation it fails with ErrDenied while such clients are connected.
func (c Client) SetRequireMinCompatClient(ctx context.Context, release string, answer Confirmation) error {
	args := arguments{"version": release}.confirm("yes_i_really_mean_it", answer)
	return do(ctx, c.Mon, "osd set-require-min-compat-client", args)
}

// SetFullRatio sets the usage at which OSDs refuse writes.
func (c Client) SetFullRatio(ctx context.Context, ratio float64) error {
	return do(ctx, c.Mon, "osd set-full-ratio", arguments{"ratio": Float(ratio)})
}

// SetBackfillfullRatio sets the usage at which OSDs refuse backfill.
func (c Client) SetBackfillfullRatio(ctx context.Context, ratio float64) error {
	return do(ctx, c.Mon, "osd set-backfillfull-ratio", arguments{"ratio": Float(ratio)})
}

// SetNearfullRatio sets the usage at which Ceph warns.
func (c Client) SetNearfullRatio(ctx context.Context, ratio float64) error {
	return do(ctx, c.Mon, "osd set-nearfull-ratio", arguments{"ratio": Float(ratio)})
}

// BlocklistEntry is a client address that OSDs refuse, until a time in Ceph's
// own format.
type BlocklistEntry struct {
	Addr  string `json:"addr"`
	Until string `json:"until"`
}

// BlocklistAdd makes OSDs refuse the client address ("ip:port/nonce", or "ip"
// for all clients of a host) for a time.
func (c Client) BlocklistAdd(ctx context.Context, addr string, expire time.Duration) error {
	return do(ctx, c.Mon, "osd blocklist", arguments{
		"blocklistop": "add", "addr": addr, "expire": Float(expire.Seconds()),
	})
}

// BlocklistRemove lets a client address in again. An address that is not
// listed succeeds.
func (c Client) BlocklistRemove(ctx context.Context, addr string) error {
	return do(ctx, c.Mon, "osd blocklist", arguments{"blocklistop": "rm", "addr": addr})
}

// BlocklistAddRange is BlocklistAdd for every client of a CIDR range.
func (c Client) BlocklistAddRange(ctx context.Context, cidr string, expire time.Duration) error {
	return do(ctx, c.Mon, "osd blocklist", arguments{
		"range": "range", "blocklistop": "add", "addr": cidr, "expire": Float(expire.Seconds()),
	})
}

// BlocklistRemoveRange ends BlocklistAddRange.
func (c Client) BlocklistRemoveRange(ctx context.Context, cidr string) error {
	return do(ctx, c.Mon, "osd blocklist", arguments{"range": "range", "blocklistop": "rm", "addr": cidr})
}

// decodeBlocklist reads the reply of "osd blocklist ls", which is two JSON
// arrays one after the other: single addresses, then ranges.
func decodeBlocklist(body []byte) ([]BlocklistEntry, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var all []BlocklistEntry
	for count := 0; ; count++ {
		var some []struct {
			BlocklistEntry
			Range string `json:"range"`
		}
		err := decoder.Decode(&some)
		if errors.Is(err, io.EOF) && count > 0 {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range some {
			if entry.Range != "" {
				entry.Addr = entry.Range
			}
			all = append(all, entry.BlocklistEntry)
		}
	}
}

// BlocklistList reads the refused client addresses and ranges.
func (c Client) BlocklistList(ctx context.Context) ([]BlocklistEntry, error) {
	const prefix = "osd blocklist ls"
	reply, err := raw(ctx, c.Mon, Command{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	entries, err := decodeBlocklist(reply.Body)
	if err != nil {
		return nil, fmt.Errorf("decode reply of %q: %w", prefix, err)
	}
	return entries, nil
}
