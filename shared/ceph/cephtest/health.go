package cephtest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// What a health check's severity can be.
const (
	Warning = "HEALTH_WARN"
	Failure = "HEALTH_ERR"
)

type health struct {
	raised map[string]ceph.HealthCheck
	mutes  map[string]ceph.HealthMute
}

func newHealth() health {
	return health{raised: map[string]ceph.HealthCheck{}, mutes: map[string]ceph.HealthMute{}}
}

// RaiseHealth raises a health check that the fake does not find by itself.
func (c *Cluster) RaiseHealth(code, severity, message string, details ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.raised[code] = check(severity, message, details)
}

// ClearHealth ends what RaiseHealth began. A mute that is not sticky ends too.
func (c *Cluster) ClearHealth(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.health.raised, code)
	if mute, muted := c.health.mutes[code]; muted && !mute.Sticky {
		delete(c.health.mutes, code)
	}
}

func check(severity, message string, details []string) ceph.HealthCheck {
	result := ceph.HealthCheck{
		Severity: severity,
		Summary:  ceph.HealthSummary{Message: message, Count: int64(max(1, len(details)))},
		Detail:   []ceph.HealthDetail{},
	}
	for _, detail := range details {
		result.Detail = append(result.Detail, ceph.HealthDetail{Message: detail})
	}
	return result
}

// currentHealth is what the state of the cluster raises plus what the test
// raised.
func (c *Cluster) currentHealth() ceph.Health {
	checks := map[string]ceph.HealthCheck{}
	c.checkDaemons(checks)
	c.checkOSDs(checks)
	maps.Copy(checks, c.health.raised)
	result := ceph.Health{Status: "HEALTH_OK", Checks: checks, Mutes: []ceph.HealthMute{}}
	for code, raised := range checks {
		if _, muted := c.health.mutes[code]; muted {
			raised.Muted = true
			checks[code] = raised
			continue
		}
		if result.Status != Failure {
			result.Status = raised.Severity
		}
	}
	for _, code := range slices.Sorted(maps.Keys(c.health.mutes)) {
		result.Mutes = append(result.Mutes, c.health.mutes[code])
	}
	return result
}

func (c *Cluster) checkDaemons(checks map[string]ceph.HealthCheck) {
	in := monNames(c.mons.quorum())
	var down []string
	for _, mon := range c.mons.members {
		if !slices.Contains(in, mon.Name) {
			down = append(down, fmt.Sprintf("mon.%s is down (out of quorum)", mon.Name))
		}
	}
	if len(down) > 0 {
		checks["MON_DOWN"] = check(Warning,
			fmt.Sprintf("%d/%d mons down, quorum %v", len(down), len(c.mons.members), in), down)
	}
	if c.mgrs.active == "" && len(c.osds.all) > 0 {
		checks["MGR_DOWN"] = check(Warning, "no active mgr", nil)
	}
}

func (c *Cluster) checkOSDs(checks map[string]ceph.HealthCheck) {
	var down []string
	for _, id := range c.osds.ids() {
		if osd := c.osds.all[id]; osd.in && !osd.up && osd.booted {
			down = append(down, fmt.Sprintf("osd.%d is down", id))
		}
	}
	if len(down) > 0 {
		checks["OSD_DOWN"] = check(Warning, fmt.Sprintf("%d osds down", len(down)), down)
	}
	if len(c.osds.all) < c.poolDefaultSize() {
		checks["TOO_FEW_OSDS"] = check(Warning,
			fmt.Sprintf("OSD count %d < osd_pool_default_size %d", len(c.osds.all), c.poolDefaultSize()), nil)
	}
	if flags := c.osds.warningFlags(); len(flags) > 0 {
		checks["OSDMAP_FLAGS"] = check(Warning, fmt.Sprintf("%v flag(s) set", flags), nil)
	}
	degraded, inactive := c.unhealthyPGs()
	if degraded > 0 {
		checks["PG_DEGRADED"] = check(Warning, fmt.Sprintf("%d pgs degraded", degraded), nil)
	}
	if inactive > 0 {
		checks["PG_AVAILABILITY"] = check(Warning, fmt.Sprintf("Reduced data availability: %d pgs inactive", inactive), nil)
	}
}

func healthCommands() map[string]command {
	return map[string]command{
		"status":        read("", (*call).clusterStatus),
		"health":        read("detail:str?", func(c *call) (any, error) { return c.currentHealth(), nil }),
		"health mute":   write("code:str ttl:str? sticky:bool?", (*call).healthMute),
		"health unmute": write("code:str?", (*call).healthUnmute),
		"df":            read("", (*call).df),
	}
}

func (c *call) healthMute() error {
	code := c.str("code")
	_, raised := c.currentHealth().Checks[code]
	if !raised && !c.flag("sticky") {
		return refuse(errNoEntry, "health alert %s is not currently raised", code)
	}
	c.health.mutes[code] = ceph.HealthMute{Code: code, Sticky: c.flag("sticky"), TTL: c.str("ttl")}
	return nil
}

func (c *call) healthUnmute() error {
	if !c.has("code") {
		clear(c.health.mutes)
	}
	delete(c.health.mutes, c.str("code"))
	return nil
}

func (c *call) clusterStatus() (any, error) {
	in := c.mons.quorum()
	status := ceph.Status{
		FSID: c.fsid, Health: c.currentHealth(), ElectionEpoch: c.mons.election,
		Quorum: []int{}, QuorumNames: monNames(in), PGMap: c.pgMap(),
	}
	for _, mon := range in {
		status.Quorum = append(status.Quorum, mon.Rank)
	}
	status.MonMap.Epoch = c.mons.epoch
	status.MonMap.NumMons = len(c.mons.members)
	status.OSDMap.Epoch = c.osds.epoch
	status.OSDMap.NumOSDs = len(c.osds.all)
	status.OSDMap.NumUpOSDs = c.osds.countUp()
	status.OSDMap.NumInOSDs = c.osds.countIn()
	status.MgrMap.Available = c.mgrs.active != ""
	status.MgrMap.NumStandbys = len(c.mgrs.standbys)
	status.MgrMap.Modules = slices.Clone(c.mgrs.enabled)
	status.MgrMap.Services = c.mgrServices()
	c.fsMapStatus(&status)
	return status, nil
}

func (c *call) df() (any, error) {
	usage := ceph.DF{StatsByClass: map[string]ceph.DFStats{}, Pools: []ceph.DFPool{}}
	for _, id := range c.osds.ids() {
		osd := c.osds.all[id]
		if !osd.up {
			continue
		}
		class := usage.StatsByClass[osd.class]
		class.TotalBytes += osd.bytes()
		class.TotalAvailBytes += osd.bytes()
		usage.StatsByClass[osd.class] = class
		usage.Stats.TotalBytes += osd.bytes()
		usage.Stats.TotalAvailBytes += osd.bytes()
	}
	for _, pool := range c.pools.sorted() {
		entry := ceph.DFPool{Name: pool.Name, ID: pool.ID}
		entry.Stats.MaxAvail = usage.Stats.TotalAvailBytes / uint64(pool.Size)
		usage.Pools = append(usage.Pools, entry)
	}
	return usage, nil
}
