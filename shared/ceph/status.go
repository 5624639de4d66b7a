package ceph

import "context"

// Health is the cluster's health with the checks that are raised now. Details
// are filled by HealthDetail only.
type Health struct {
	Status string                 `json:"status"`
	Checks map[string]HealthCheck `json:"checks"`
	Mutes  []HealthMute           `json:"mutes"`
}

// HealthCheck is one raised check; Severity is HEALTH_WARN or HEALTH_ERR.
type HealthCheck struct {
	Severity string         `json:"severity"`
	Summary  HealthSummary  `json:"summary"`
	Detail   []HealthDetail `json:"detail"`
	Muted    bool           `json:"muted"`
}

// HealthSummary is the one-line text of a check and how many things it is about.
type HealthSummary struct {
	Message string `json:"message"`
	Count   int64  `json:"count"`
}

// HealthDetail is one line about one thing.
type HealthDetail struct {
	Message string `json:"message"`
}

// HealthMute is one check that somebody silenced.
type HealthMute struct {
	Code   string `json:"code"`
	Sticky bool   `json:"sticky"`
	TTL    string `json:"ttl"`
}

// Status is the reply of "status".
type Status struct {
	FSID          string   `json:"fsid"`
	Health        Health   `json:"health"`
	ElectionEpoch uint64   `json:"election_epoch"`
	Quorum        []int    `json:"quorum"`
	QuorumNames   []string `json:"quorum_names"`
	MonMap        struct {
		Epoch   uint64 `json:"epoch"`
		NumMons int    `json:"num_mons"`
	} `json:"monmap"`
	OSDMap struct {
		Epoch          uint64 `json:"epoch"`
		NumOSDs        int    `json:"num_osds"`
		NumUpOSDs      int    `json:"num_up_osds"`
		NumInOSDs      int    `json:"num_in_osds"`
		NumRemappedPGs int    `json:"num_remapped_pgs"`
	} `json:"osdmap"`
	PGMap  PGMap `json:"pgmap"`
	MgrMap struct {
		Available   bool              `json:"available"`
		NumStandbys int               `json:"num_standbys"`
		Modules     []string          `json:"modules"`
		Services    map[string]string `json:"services"`
	} `json:"mgrmap"`
	FSMap struct {
		Epoch     uint64        `json:"epoch"`
		ID        int           `json:"id"`
		Up        int           `json:"up"`
		In        int           `json:"in"`
		Max       int           `json:"max"`
		ByRank    []FSMapDaemon `json:"by_rank"`
		UpStandby int           `json:"up:standby"`
	} `json:"fsmap"`
}

// FSMapDaemon is one MDS that holds a rank.
type FSMapDaemon struct {
	FilesystemID int    `json:"filesystem_id"`
	Rank         int    `json:"rank"`
	Name         string `json:"name"`
	Status       string `json:"status"`
	GID          uint64 `json:"gid"`
}

// PGMap sums up data and placement groups as the mgr last reported them.
type PGMap struct {
	PGsByState        []PGState `json:"pgs_by_state"`
	NumPGs            int       `json:"num_pgs"`
	NumPools          int       `json:"num_pools"`
	NumObjects        uint64    `json:"num_objects"`
	DataBytes         uint64    `json:"data_bytes"`
	BytesUsed         uint64    `json:"bytes_used"`
	BytesAvail        uint64    `json:"bytes_avail"`
	BytesTotal        uint64    `json:"bytes_total"`
	InactivePGsRatio  float64   `json:"inactive_pgs_ratio"`
	DegradedRatio     float64   `json:"degraded_ratio"`
	MisplacedRatio    float64   `json:"misplaced_ratio"`
	ReadBytesSec      uint64    `json:"read_bytes_sec"`
	WriteBytesSec     uint64    `json:"write_bytes_sec"`
	ReadOpPerSec      uint64    `json:"read_op_per_sec"`
	WriteOpPerSec     uint64    `json:"write_op_per_sec"`
	RecoveringBytesPS uint64    `json:"recovering_bytes_per_sec"`
}

// PGState is how many placement groups are in one state, such as
// "active+clean".
type PGState struct {
	StateName string `json:"state_name"`
	Count     int    `json:"count"`
}

// Status reads the cluster's summary. It needs quorum, not a mgr.
func (c Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c.Mon, "status", nil)
}

// HealthDetail reads the raised health checks with their detail lines.
func (c Client) HealthDetail(ctx context.Context) (Health, error) {
	return ask[Health](ctx, c.Mon, "health", arguments{"detail": "detail"})
}

// HealthMute silences a check; sticky mutes outlive the check's clearing.
func (c Client) HealthMute(ctx context.Context, mute HealthMute) error {
	args := arguments{"code": mute.Code}
	with(args, "ttl", mute.TTL)
	with(args, "sticky", mute.Sticky)
	return do(ctx, c.Mon, "health mute", args)
}

// HealthUnmute ends the mute of a check. Unmuting what is not muted succeeds.
func (c Client) HealthUnmute(ctx context.Context, code string) error {
	return do(ctx, c.Mon, "health unmute", arguments{"code": code})
}

// Versions maps each daemon role ("mon", "osd", ..., "overall") to the full
// version texts that run and how many daemons run each.
type Versions map[string]map[string]int

// Versions reads which releases run. Daemons that are down are not counted.
func (c Client) Versions(ctx context.Context) (Versions, error) {
	return ask[Versions](ctx, c.Mon, "versions", nil)
}

// DF is the capacity of the cluster, of each device class and of each pool.
type DF struct {
	Stats        DFStats            `json:"stats"`
	StatsByClass map[string]DFStats `json:"stats_by_class"`
	Pools        []DFPool           `json:"pools"`
}

// DFStats is raw capacity.
type DFStats struct {
	TotalBytes        uint64  `json:"total_bytes"`
	TotalAvailBytes   uint64  `json:"total_avail_bytes"`
	TotalUsedBytes    uint64  `json:"total_used_bytes"`
	TotalUsedRawRatio float64 `json:"total_used_raw_ratio"`
}

// DFPool is the usage of one pool; MaxAvail is what clients can still write.
type DFPool struct {
	Name  string `json:"name"`
	ID    int    `json:"id"`
	Stats struct {
		Stored      uint64  `json:"stored"`
		Objects     uint64  `json:"objects"`
		BytesUsed   uint64  `json:"bytes_used"`
		PercentUsed float64 `json:"percent_used"`
		MaxAvail    uint64  `json:"max_avail"`
	} `json:"stats"`
}

// DF reads capacity and pool usage.
func (c Client) DF(ctx context.Context) (DF, error) {
	return ask[DF](ctx, c.Mon, "df", nil)
}

// Filesystem is one CephFS with the names of its pools.
type Filesystem struct {
	Name         string   `json:"name"`
	MetadataPool string   `json:"metadata_pool"`
	DataPools    []string `json:"data_pools"`
}

// FSList reads the file systems.
func (c Client) FSList(ctx context.Context) ([]Filesystem, error) {
	return ask[[]Filesystem](ctx, c.Mon, "fs ls", nil)
}
