package cephtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func poolSettingCommands() map[string]command {
	return map[string]command{
		"osd pool get":                 read("pool:str var:str", (*call).poolGet),
		"osd pool set":                 write("pool:str var:str val:str yes_i_really_mean_it:bool?", (*call).poolSet),
		"osd pool application enable":  write("pool:str app:str yes_i_really_mean_it:bool?", (*call).applicationEnable),
		"osd pool application disable": write("pool:str app:str yes_i_really_mean_it:bool?", (*call).applicationDisable),
		"osd pool application get":     read("pool:str", (*call).applicationGet),
		"osd pool application set":     write("pool:str app:str key:str value:str", (*call).applicationSet),
		"osd pool set-quota":           write("pool:str field:str val:str", (*call).quotaSet),
		"osd pool get-quota":           read("pool:str", (*call).quotaGet),
	}
}

func (c *call) pool() (*ceph.Pool, error) {
	pool, found := c.pools.all[c.str("pool")]
	if !found {
		return nil, refuse(errNoEntry, "unrecognized pool '%s'", c.str("pool"))
	}
	return pool, nil
}

func (c *call) poolGet() (any, error) {
	pool, err := c.pool()
	if err != nil {
		return nil, err
	}
	if c.str("var") != "all" {
		c.t.Errorf("cephtest: \"osd pool get\" answers for \"all\" only, not for %q", c.str("var"))
		return nil, refuse(errInvalid, "invalid variable")
	}
	rule := c.crush.ruleByID(pool.CrushRule)
	all := map[string]any{
		"pool": pool.Name, "pool_id": pool.ID, "size": pool.Size, "min_size": pool.MinSize,
		"pg_num": pool.PGNum, "pgp_num": pool.PGNum, "crush_rule": rule.Name,
		"pg_autoscale_mode": pool.PGAutoscaleMode, "hashpspool": true,
		"nodelete": false, "nopgchange": false, "nosizechange": false, "noscrub": false, "nodeep-scrub": false,
		"bulk": strings.Contains(pool.FlagNames, "bulk"),
	}
	if pool.Type == ceph.PoolErasure {
		all["erasure_code_profile"] = pool.ErasureCodeProfile
		all["allow_ec_overwrites"] = strings.Contains(pool.FlagNames, "ec_overwrites")
	}
	for name, value := range pool.Options {
		all[name] = value
	}
	for name, value := range c.pools.extra[pool.Name] {
		all[name] = value
	}
	return all, nil
}

// textSettings are set and read back as they are, and appear only once set.
func textSettings() []string {
	return []string{
		"compression_mode", "compression_algorithm", "compression_required_ratio", "compression_max_blob_size",
		"compression_min_blob_size", "csum_type", "recovery_priority", "recovery_op_priority", "scrub_priority",
		"scrub_min_interval", "scrub_max_interval", "deep_scrub_interval", "fingerprint_algorithm", "pg_autoscale_bias",
	}
}

func (c *call) poolSet() error {
	pool, err := c.pool()
	if err != nil {
		return err
	}
	name, value := c.str("var"), c.str("val")
	switch name {
	case "size", "min_size", "pg_num", "pgp_num":
		err = c.setNumber(pool, name, value)
	case "crush_rule":
		err = c.setRule(pool, value)
	case "pg_autoscale_mode":
		if !slices.Contains([]string{"on", "off", "warn"}, value) {
			return refuse(errInvalid, "specified invalid mode %s", value)
		}
		pool.PGAutoscaleMode = value
	case "allow_ec_overwrites":
		err = setFlag(pool, "ec_overwrites", value)
	case "bulk", "nodelete", "nopgchange", "nosizechange":
		err = setFlag(pool, name, value)
	case "pg_num_min":
		err = setLeast(pool, value)
	case "target_size_ratio", "target_size_bytes", "pg_num_max":
		err = setOption(pool, name, value)
	default:
		if !slices.Contains(textSettings(), name) {
			return refuse(errInvalid, "unrecognized variable '%s'", name)
		}
		c.setText(pool, name, value)
	}
	if err == nil {
		c.osds.epoch++
	}
	return err
}

func (c *call) setRule(pool *ceph.Pool, name string) error {
	rule := c.crush.rule(name)
	if rule == nil {
		return refuse(errNoEntry, "crush rule %s does not exist", name)
	}
	pool.CrushRule = rule.ID
	return nil
}

func setLeast(pool *ceph.Pool, value string) error {
	if least, _ := strconv.Atoi(value); least > pool.PGNumTarget {
		return refuse(errInvalid, "specified pg_num_min %d > pg_num %d", least, pool.PGNumTarget)
	}
	return setOption(pool, "pg_num_min", value)
}

func (c *call) setText(pool *ceph.Pool, name, value string) {
	c.pools.extra[pool.Name][name] = value
	if value == "unset" {
		delete(c.pools.extra[pool.Name], name)
	}
}

func (c *call) setNumber(pool *ceph.Pool, name, value string) error {
	number, err := strconv.Atoi(value)
	if err != nil {
		return refuse(errInvalid, "error parsing int value '%s'", value)
	}
	switch name {
	case "size":
		return c.setSize(pool, number)
	case "min_size":
		if number < 1 || number > pool.Size {
			return refuse(errInvalid, "pool min_size must be between 1 and size, which is set to %d", pool.Size)
		}
		pool.MinSize = number
	case "pg_num":
		pool.PGNumTarget, pool.PGPNumTarget = number, number
	case "pgp_num":
		pool.PGPNumTarget = number
	}
	return nil
}

func (c *call) setSize(pool *ceph.Pool, size int) error {
	if pool.Type == ceph.PoolErasure {
		return refuse(errNotSupported, "can not change the size of an erasure-coded pool")
	}
	if size < 1 || size > 10 {
		return refuse(errInvalid, "pool size must be between 1 and 10")
	}
	allowed, _ := c.effective("mon", "mon_allow_pool_size_one")
	if size == 1 && allowed != "true" {
		return refuse(errPerm, "configuring pool size as 1 is disabled by default.")
	}
	if size == 1 && !c.flag("yes_i_really_mean_it") {
		return refuse(errPerm, "WARNING: setting pool size 1 could lead to data loss without recovery.")
	}
	pool.Size, pool.MinSize = size, size-size/2
	return nil
}

func setFlag(pool *ceph.Pool, flag, value string) error {
	set := value == "true" || value == "1"
	if !set && value != "false" && value != "0" {
		return refuse(errInvalid, "expecting value 'true', 'false', '0', or '1'")
	}
	flags := slices.DeleteFunc(strings.Split(pool.FlagNames, ","), func(f string) bool { return f == flag })
	if set {
		flags = append(flags, flag)
	}
	pool.FlagNames = strings.Join(flags, ",")
	return nil
}

func setOption(pool *ceph.Pool, name, value string) error {
	number, err := strconv.ParseFloat(value, 64)
	if size, ok := ceph.ReadSize(value); name == "target_size_bytes" && ok {
		number, err = float64(size), nil
	}
	if err != nil {
		return refuse(errInvalid, "error parsing value '%s'", value)
	}
	if number == 0 {
		delete(pool.Options, name)
		return nil
	}
	pool.Options[name] = number
	return nil
}

func (c *call) applicationEnable() error {
	pool, err := c.pool()
	if err != nil {
		return err
	}
	app := c.str("app")
	if _, enabled := pool.ApplicationMetadata[app]; enabled {
		return nil
	}
	if len(pool.ApplicationMetadata) > 0 && !c.flag("yes_i_really_mean_it") {
		return refuse(errPerm, "Are you SURE? Pool '%s' already has an enabled application", pool.Name)
	}
	pool.ApplicationMetadata[app] = map[string]string{}
	c.osds.epoch++
	return nil
}

func (c *call) applicationDisable() error {
	pool, err := c.pool()
	if err != nil {
		return err
	}
	if !c.flag("yes_i_really_mean_it") {
		return refuse(errPerm, "Are you SURE? Disabling an application within a pool might result in loss of application functionality")
	}
	delete(pool.ApplicationMetadata, c.str("app"))
	c.osds.epoch++
	return nil
}

func (c *call) applicationGet() (any, error) {
	pool, err := c.pool()
	if err != nil {
		return nil, err
	}
	return pool.ApplicationMetadata, nil
}

func (c *call) applicationSet() error {
	pool, err := c.pool()
	if err != nil {
		return err
	}
	metadata, enabled := pool.ApplicationMetadata[c.str("app")]
	if !enabled {
		return refuse(errNoEntry, "application '%s' is not enabled on pool '%s'", c.str("app"), pool.Name)
	}
	metadata[c.str("key")] = c.str("value")
	c.osds.epoch++
	return nil
}

func (c *call) quotaSet() error {
	pool, err := c.pool()
	if err != nil {
		return err
	}
	limit, err := strconv.ParseUint(c.str("val"), 10, 64)
	if err != nil {
		return refuse(errInvalid, "error parsing value '%s'", c.str("val"))
	}
	switch c.str("field") {
	case "max_bytes":
		pool.QuotaMaxBytes = limit
	case "max_objects":
		pool.QuotaMaxObjects = limit
	default:
		return refuse(errInvalid, "unrecognized field '%s'", c.str("field"))
	}
	c.osds.epoch++
	return nil
}

func (c *call) quotaGet() (any, error) {
	pool, err := c.pool()
	if err != nil {
		return nil, err
	}
	return ceph.PoolQuota{MaxBytes: pool.QuotaMaxBytes, MaxObjects: pool.QuotaMaxObjects}, nil
}
