package ceph

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"syscall"
)

// Pool is one pool as "osd pool ls detail" and "osd dump" print it; the two
// name its id differently.
type Pool struct {
	ID                  int                          `json:"pool_id"`
	Name                string                       `json:"pool_name"`
	Type                int                          `json:"type"`
	Size                int                          `json:"size"`
	MinSize             int                          `json:"min_size"`
	CrushRule           int                          `json:"crush_rule"`
	PGNum               int                          `json:"pg_num"`
	PGNumTarget         int                          `json:"pg_num_target"`
	PGPNumTarget        int                          `json:"pg_placement_num_target"`
	PGAutoscaleMode     string                       `json:"pg_autoscale_mode"`
	CreateTime          Time                         `json:"create_time"`
	FlagNames           string                       `json:"flags_names"`
	QuotaMaxBytes       uint64                       `json:"quota_max_bytes"`
	QuotaMaxObjects     uint64                       `json:"quota_max_objects"`
	ErasureCodeProfile  string                       `json:"erasure_code_profile"`
	ApplicationMetadata map[string]map[string]string `json:"application_metadata"`
	Options             map[string]any               `json:"options"`
}

// UnmarshalJSON reads the id under either name.
func (p *Pool) UnmarshalJSON(body []byte) error {
	type plain Pool
	var in struct {
		plain
		InDump *int `json:"pool"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	*p = Pool(in.plain)
	if in.InDump != nil {
		p.ID = *in.InDump
	}
	return nil
}

// What Pool.Type can be.
const (
	PoolReplicated = 1
	PoolErasure    = 3
)

// PoolSpec is a pool to create. Zero fields are left to Ceph's defaults.
type PoolSpec struct {
	Name               string
	PGNum              int
	Rule               string
	Size               int
	ErasureCodeProfile string
	PGNumMin           int
	PGNumMax           int
	AutoscaleMode      string
	Bulk               bool
	TargetSizeRatio    float64
}

// PoolCreate makes a pool: erasure coded when a profile is named, replicated
// otherwise. An existing pool of the same type succeeds unchanged; of the
// other type it is ErrInvalid. Names that start with a dot need Really, else
// they are ErrDenied here: Ceph would report success and make nothing.
func (c Client) PoolCreate(ctx context.Context, spec PoolSpec, answer Confirmation) error {
	const prefix = "osd pool create"
	if strings.HasPrefix(spec.Name, ".") && answer != Really {
		return &Error{Prefix: prefix, Errno: syscall.EPERM, Status: "pool names beginning with . are reserved"}
	}
	args := arguments{"pool": spec.Name, "pool_type": "replicated"}
	if spec.ErasureCodeProfile != "" {
		args["pool_type"] = "erasure"
		args["erasure_code_profile"] = spec.ErasureCodeProfile
	}
	with(args, "pg_num", spec.PGNum)
	with(args, "rule", spec.Rule)
	with(args, "size", spec.Size)
	with(args, "pg_num_min", spec.PGNumMin)
	with(args, "pg_num_max", spec.PGNumMax)
	with(args, "autoscale_mode", spec.AutoscaleMode)
	with(args, "bulk", spec.Bulk)
	with(args, "target_size_ratio", Float(spec.TargetSizeRatio))
	return do(ctx, c.Mon, prefix, args.confirm("yes_i_really_mean_it", answer))
}

// PoolList reads all pools with their settings.
func (c Client) PoolList(ctx context.Context) ([]Pool, error) {
	return ask[[]Pool](ctx, c.Mon, "osd pool ls", arguments{"detail": "detail"})
}

// PoolNames reads the names of all pools.
func (c Client) PoolNames(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, c.Mon, "osd pool ls", nil)
}

// PoolSettings is the reply of "osd pool get <pool> all". Settings holds every
// value as text, the way that PoolSet takes it.
type PoolSettings struct {
	Pool      string            `json:"pool"`
	ID        int               `json:"pool_id"`
	Size      int               `json:"size"`
	MinSize   int               `json:"min_size"`
	PGNum     int               `json:"pg_num"`
	CrushRule string            `json:"crush_rule"`
	Settings  map[string]string `json:"-"`
}

// UnmarshalJSON reads the named fields and keeps all values as text.
func (s *PoolSettings) UnmarshalJSON(body []byte) error {
	type plain PoolSettings
	if err := json.Unmarshal(body, (*plain)(s)); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	s.Settings = make(map[string]string, len(all))
	for name, value := range all {
		s.Settings[name] = plainText(value)
	}
	return nil
}

// PoolGet reads the settings of a pool, or ErrNotFound.
func (c Client) PoolGet(ctx context.Context, pool string) (PoolSettings, error) {
	return ask[PoolSettings](ctx, c.Mon, "osd pool get", arguments{"pool": pool, "var": "all"})
}

// PoolSet changes one setting. Really is needed for size 1 and for lowering
// some safety settings.
func (c Client) PoolSet(ctx context.Context, pool, setting, value string, answer Confirmation) error {
	args := arguments{"pool": pool, "var": setting, "val": value}
	return do(ctx, c.Mon, "osd pool set", args.confirm("yes_i_really_mean_it", answer))
}

// PoolDelete destroys a pool and all its data. Without Really, or while
// mon_allow_pool_delete is false, it is ErrDenied. An unknown pool succeeds.
func (c Client) PoolDelete(ctx context.Context, pool string, answer Confirmation) error {
	args := arguments{"pool": pool, "pool2": pool}.confirm("yes_i_really_really_mean_it", answer)
	return do(ctx, c.Mon, "osd pool delete", args)
}

// PoolRename gives a pool another name.
func (c Client) PoolRename(ctx context.Context, from, to string) error {
	return do(ctx, c.Mon, "osd pool rename", arguments{"srcpool": from, "destpool": to})
}

// PoolApplicationEnable tags a pool for "rbd", "cephfs", "rgw" or another
// name. A second application needs Really, else it is ErrDenied.
func (c Client) PoolApplicationEnable(ctx context.Context, pool, app string, answer Confirmation) error {
	args := arguments{"pool": pool, "app": app}.confirm("yes_i_really_mean_it", answer)
	return do(ctx, c.Mon, "osd pool application enable", args)
}

// PoolApplicationDisable removes the tag, with its metadata.
func (c Client) PoolApplicationDisable(ctx context.Context, pool, app string, answer Confirmation) error {
	args := arguments{"pool": pool, "app": app}.confirm("yes_i_really_mean_it", answer)
	return do(ctx, c.Mon, "osd pool application disable", args)
}

// PoolApplications reads the tags of a pool with their metadata.
func (c Client) PoolApplications(ctx context.Context, pool string) (map[string]map[string]string, error) {
	return ask[map[string]map[string]string](ctx, c.Mon, "osd pool application get", arguments{"pool": pool})
}

// PoolApplicationSet stores metadata of a tag.
func (c Client) PoolApplicationSet(ctx context.Context, pool, app, key, value string) error {
	return do(ctx, c.Mon, "osd pool application set", arguments{"pool": pool, "app": app, "key": key, "value": value})
}

// PoolQuota is the limits of a pool; 0 means none.
type PoolQuota struct {
	MaxBytes   uint64 `json:"quota_max_bytes"`
	MaxObjects uint64 `json:"quota_max_objects"`
}

// PoolQuota reads the limits of a pool.
func (c Client) PoolQuota(ctx context.Context, pool string) (PoolQuota, error) {
	return ask[PoolQuota](ctx, c.Mon, "osd pool get-quota", arguments{"pool": pool})
}

// PoolSetMaxBytes limits the bytes of a pool; 0 removes the limit.
func (c Client) PoolSetMaxBytes(ctx context.Context, pool string, limit uint64) error {
	return c.poolSetQuota(ctx, pool, "max_bytes", limit)
}

// PoolSetMaxObjects limits the objects of a pool; 0 removes the limit.
func (c Client) PoolSetMaxObjects(ctx context.Context, pool string, limit uint64) error {
	return c.poolSetQuota(ctx, pool, "max_objects", limit)
}

func (c Client) poolSetQuota(ctx context.Context, pool, field string, limit uint64) error {
	return do(ctx, c.Mon, "osd pool set-quota", arguments{
		"pool": pool, "field": field, "val": strconv.FormatUint(limit, 10),
	})
}

// PoolStats is the traffic of one pool.
type PoolStats struct {
	Name     string `json:"pool_name"`
	ID       int    `json:"pool_id"`
	ClientIO struct {
		ReadBytesSec  uint64 `json:"read_bytes_sec"`
		WriteBytesSec uint64 `json:"write_bytes_sec"`
		ReadOpPerSec  uint64 `json:"read_op_per_sec"`
		WriteOpPerSec uint64 `json:"write_op_per_sec"`
	} `json:"client_io_rate"`
}

// PoolStats reads the traffic of all pools from the mgr.
func (c Client) PoolStats(ctx context.Context) ([]PoolStats, error) {
	return ask[[]PoolStats](ctx, c.Mgr, "osd pool stats", nil)
}

// ErasureCodeProfile is the parameters of an erasure code: k, m, plugin, ...
type ErasureCodeProfile map[string]string

// ErasureCodeProfileList reads the names of all profiles.
func (c Client) ErasureCodeProfileList(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, c.Mon, "osd erasure-code-profile ls", nil)
}

// ErasureCodeProfileGet reads a profile, or ErrNotFound.
func (c Client) ErasureCodeProfileGet(ctx context.Context, name string) (ErasureCodeProfile, error) {
	return ask[ErasureCodeProfile](ctx, c.Mon, "osd erasure-code-profile get", arguments{"name": name})
}

// ErasureCodeProfileSet makes a profile. The same parameters again succeed;
// others for an existing name are ErrDenied.
func (c Client) ErasureCodeProfileSet(ctx context.Context, name string, profile ErasureCodeProfile) error {
	args := arguments{"name": name, "profile": pairs(profile)}
	return do(ctx, c.Mon, "osd erasure-code-profile set", args)
}

// ErasureCodeProfileRemove deletes a profile. One in use is ErrBusy; an
// unknown one succeeds.
func (c Client) ErasureCodeProfileRemove(ctx context.Context, name string) error {
	return do(ctx, c.Mon, "osd erasure-code-profile rm", arguments{"name": name})
}
