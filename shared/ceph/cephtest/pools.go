package cephtest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// pools is the pools and erasure code profiles of the osdmap.
type pools struct {
	nextID   int
	all      map[string]*ceph.Pool
	extra    map[string]map[string]string
	profiles map[string]ceph.ErasureCodeProfile
}

func newPools() pools {
	return pools{
		nextID: 1, all: map[string]*ceph.Pool{}, extra: map[string]map[string]string{},
		profiles: map[string]ceph.ErasureCodeProfile{"default": {
			"k": "2", "m": "2", "plugin": "jerasure", "technique": "reed_sol_van",
		}},
	}
}

func (p *pools) sorted() []ceph.Pool {
	list := []ceph.Pool{}
	for _, pool := range p.all {
		list = append(list, *pool)
	}
	slices.SortFunc(list, func(a, b ceph.Pool) int { return a.ID - b.ID })
	return list
}

// Pool returns a pool and whether it exists.
func (c *Cluster) Pool(name string) (ceph.Pool, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pool, found := c.pools.all[name]
	if !found {
		return ceph.Pool{}, false
	}
	return *pool, true
}

// MovePGs brings the number of placement groups of every pool one step nearer to
// what was asked for, as the mgr does, and tells whether there was a step to go.
func (c *Cluster) MovePGs() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	moved := false
	for _, pool := range c.pools.all {
		step := max(-1, min(1, pool.PGNumTarget-pool.PGNum))
		pool.PGNum += step
		moved = moved || step != 0
	}
	if moved {
		c.osds.epoch++
	}
	return moved
}

func (c *Cluster) poolDefaultSize() int {
	value, _ := c.effective("mon", "osd_pool_default_size")
	size, _ := strconv.Atoi(value)
	return size
}

func poolCommands() map[string]command {
	return map[string]command{
		"osd pool create": write("pool:str pg_num:int? pgp_num:int? pool_type:str? erasure_code_profile:str? rule:str? "+
			"size:int? pg_num_min:int? pg_num_max:int? autoscale_mode:str? bulk:bool? target_size_ratio:float? "+
			"yes_i_really_mean_it:bool?", (*call).poolCreate),
		"osd pool ls":     read("detail:str?", (*call).poolList),
		"osd pool delete": write("pool:str pool2:str? yes_i_really_really_mean_it:bool?", (*call).poolDelete),
		"osd pool rename": write("srcpool:str destpool:str", (*call).poolRename),
		"osd pool stats":  mgrRead("", (*call).poolStats),
	}
}

func (c *call) poolCreate() error {
	name := c.str("pool")
	if _, found := c.pools.all[name]; found {
		return c.poolExists(name)
	}
	if strings.HasPrefix(name, ".") && !c.flag("yes_i_really_mean_it") {
		c.status = "pool names beginning with . are not allowed"
		return nil
	}
	pool := ceph.Pool{
		ID: c.pools.nextID, Name: name, Type: ceph.PoolReplicated, PGAutoscaleMode: orElse(c.str("autoscale_mode"), "on"),
		FlagNames: "hashpspool", ApplicationMetadata: map[string]map[string]string{}, Options: map[string]any{},
		PGNum: max(1, c.integer("pg_num")),
	}
	if !c.has("pg_num") && pool.PGAutoscaleMode != "on" {
		pool.PGNum = 32
	}
	pool.PGNumTarget, pool.PGPNumTarget = pool.PGNum, pool.PGNum
	fill := c.fillReplicated
	if c.str("pool_type") == "erasure" {
		fill = c.fillErasure
	}
	if err := fill(&pool); err != nil {
		return err
	}
	c.fillOptions(&pool)
	c.pools.nextID++
	c.pools.all[name] = &pool
	c.pools.extra[name] = map[string]string{}
	c.osds.epoch++
	c.status = "pool '" + name + "' created"
	return nil
}

func (c *call) poolExists(name string) error {
	wanted := ceph.PoolReplicated
	if c.str("pool_type") == "erasure" {
		wanted = ceph.PoolErasure
	}
	if c.pools.all[name].Type != wanted {
		return refuse(errInvalid, "pool '%s' cannot change to type %s", name, c.str("pool_type"))
	}
	c.status = "pool '" + name + "' already exists"
	return nil
}

func (c *call) fillReplicated(pool *ceph.Pool) error {
	pool.Size = c.poolDefaultSize()
	if c.has("size") {
		pool.Size = c.integer("size")
	}
	pool.MinSize = pool.Size - pool.Size/2
	if value, _ := c.effective("mon", "osd_pool_default_min_size"); value != "0" {
		least, _ := strconv.Atoi(value)
		pool.MinSize = min(least, pool.Size)
	}
	rule := c.crush.rule(orElse(c.str("rule"), "replicated_rule"))
	if rule == nil {
		return refuse(errNoEntry, "specified rule %s doesn't exist", c.str("rule"))
	}
	pool.CrushRule = rule.ID
	return nil
}

func (c *call) fillErasure(pool *ceph.Pool) error {
	profile := orElse(c.str("erasure_code_profile"), "default")
	settings, found := c.pools.profiles[profile]
	if !found {
		return refuse(errInvalid, "cannot determine the erasure code plugin because there is no profile '%s'", profile)
	}
	k, _ := strconv.Atoi(settings["k"])
	m, _ := strconv.Atoi(settings["m"])
	rule, err := c.erasureRule(orElse(c.str("rule"), pool.Name), profile)
	if err != nil {
		return err
	}
	pool.Type, pool.Size, pool.MinSize = ceph.PoolErasure, k+m, k+min(1, m-1)
	pool.ErasureCodeProfile, pool.CrushRule = profile, rule
	return nil
}

func (c *call) fillOptions(pool *ceph.Pool) {
	for _, name := range []string{"pg_num_min", "pg_num_max"} {
		if c.has(name) {
			pool.Options[name] = c.integer(name)
		}
	}
	if c.has("target_size_ratio") {
		pool.Options["target_size_ratio"] = c.float("target_size_ratio")
	}
	if c.flag("bulk") {
		pool.FlagNames += ",bulk"
	}
}

func (c *call) poolList() (any, error) {
	list := c.pools.sorted()
	if c.has("detail") {
		return list, nil
	}
	names := []string{}
	for _, pool := range list {
		names = append(names, pool.Name)
	}
	return names, nil
}

func (c *call) poolDelete() error {
	name := c.str("pool")
	if _, found := c.pools.all[name]; !found {
		c.status = "pool '" + name + "' does not exist"
		return nil
	}
	if c.str("pool2") != name || !c.flag("yes_i_really_really_mean_it") {
		return refuse(errPerm, "WARNING: this will *PERMANENTLY DESTROY* all data stored in pool %s.", name)
	}
	if allowed, _ := c.effective("mon", "mon_allow_pool_delete"); allowed != "true" {
		return refuse(errPerm, "pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true")
	}
	if c.usedBy(c.pools.all[name]) != nil {
		return refuse(errBusy, "pool '%s' is in use by CephFS", name)
	}
	delete(c.pools.all, name)
	delete(c.pools.extra, name)
	c.osds.epoch++
	c.status = "pool '" + name + "' removed"
	return nil
}

func (c *call) poolRename() error {
	from, to := c.str("srcpool"), c.str("destpool")
	pool, found := c.pools.all[from]
	_, taken := c.pools.all[to]
	switch {
	case !found && taken:
		c.status = "pool '" + from + "' does not exist; pool '" + to + "' does -- assuming successful rename"
		return nil
	case !found:
		return refuse(errNoEntry, "unrecognized pool '%s'", from)
	case taken:
		return refuse(errExists, "pool '%s' already exists", to)
	}
	pool.Name = to
	c.pools.all[to], c.pools.extra[to] = pool, c.pools.extra[from]
	delete(c.pools.all, from)
	delete(c.pools.extra, from)
	c.osds.epoch++
	return nil
}

func (c *call) poolStats() (any, error) {
	list := []ceph.PoolStats{}
	for _, pool := range c.pools.sorted() {
		list = append(list, ceph.PoolStats{Name: pool.Name, ID: pool.ID})
	}
	return list, nil
}

func profileCommands() map[string]command {
	return map[string]command{
		"osd erasure-code-profile ls":  read("", func(c *call) (any, error) { return sortedKeys(c.pools.profiles), nil }),
		"osd erasure-code-profile get": read("name:str", (*call).profileGet),
		"osd erasure-code-profile set": write("name:str profile:list?", (*call).profileSet),
		"osd erasure-code-profile rm":  write("name:str", (*call).profileRemove),
	}
}

func (c *call) profileGet() (any, error) {
	profile, found := c.pools.profiles[c.str("name")]
	if !found {
		return nil, refuse(errNoEntry, "unknown erasure code profile '%s'", c.str("name"))
	}
	return profile, nil
}

// completeProfile adds what Ceph fills in.
func completeProfile(given map[string]string) ceph.ErasureCodeProfile {
	profile := ceph.ErasureCodeProfile{
		"plugin": "jerasure", "technique": "reed_sol_van", "k": "2", "m": "2", "w": "8",
		"crush-root": "default", "crush-failure-domain": "host", "crush-device-class": "",
		"crush-num-failure-domains": "0", "crush-osds-per-failure-domain": "0",
		"jerasure-per-chunk-alignment": "false",
	}
	maps.Copy(profile, given)
	return profile
}

func (c *call) profileSet() error {
	given := map[string]string{}
	for _, pair := range c.list("profile") {
		key, value, _ := strings.Cut(pair, "=")
		given[key] = value
	}
	profile := completeProfile(given)
	if existing, found := c.pools.profiles[c.str("name")]; found {
		if maps.Equal(existing, profile) {
			return nil
		}
		return refuse(errPerm, "will not override erasure code profile %s because the existing profile is different",
			c.str("name"))
	}
	c.pools.profiles[c.str("name")] = profile
	c.osds.epoch++
	return nil
}

func (c *call) profileRemove() error {
	name := c.str("name")
	for _, pool := range c.pools.all {
		if pool.ErasureCodeProfile == name {
			return refuse(errBusy, "pool(s) %s are using the erasure code profile '%s'", pool.Name, name)
		}
	}
	if _, found := c.pools.profiles[name]; !found {
		c.status = "erasure-code-profile " + name + " does not exist"
		return nil
	}
	delete(c.pools.profiles, name)
	c.osds.epoch++
	return nil
}
