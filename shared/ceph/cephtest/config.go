package cephtest

import (
	"maps"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Option returns a stored configuration option and whether it is set.
func (c *Cluster) Option(who, name string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, found := c.config[who][name]
	return value, found
}

func configCommands() map[string]command {
	return map[string]command{
		"config set":             write("who:str name:str value:str force:bool?", (*call).configSet),
		"config rm":              write("who:str name:str", (*call).configRemove),
		"config get":             read("who:str key:str", (*call).configGet),
		"config dump":            read("", (*call).configDump),
		"config assimilate-conf": answer("", (*call).configAssimilate),
		"config-key get":         read("key:str", (*call).keyGet),
		"config-key set":         write("key:str val:str?", (*call).keySet),
		"config-key exists":      read("key:str", (*call).keyExists),
		"config-key rm":          write("key:str", func(c *call) error { delete(c.store, c.str("key")); return nil }),
		"config-key ls":          read("", func(c *call) (any, error) { return sortedKeys(c.store), nil }),
	}
}

func sortedKeys[V any](values map[string]V) []string {
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(values))))
}

// optionName is the form in which Ceph stores names: spaces and dashes are
// underscores, except in options of mgr modules.
func optionName(name string) string {
	if strings.HasPrefix(name, "mgr/") {
		return name
	}
	return strings.NewReplacer(" ", "_", "-", "_").Replace(name)
}

func (c *call) configSet() error {
	if !validSection(c.str("who")) {
		return refuse(errInvalid, "unrecognized config target '%s'", c.str("who"))
	}
	value := c.str("value")
	if !c.flag("force") {
		stored, err := c.normal(optionName(c.str("name")), value)
		if err != nil {
			return refuse(errInvalid, "error parsing value: %s", err)
		}
		value = stored
	}
	c.setOption(c.str("who"), c.str("name"), value)
	return nil
}

func validSection(who string) bool {
	section, _, _ := strings.Cut(who, "/")
	daemon, _, _ := strings.Cut(section, ".")
	return slices.Contains([]string{"global", "mon", "mgr", "osd", "mds", "client"}, daemon)
}

func (c *Cluster) setOption(who, name, value string) {
	if c.config[who] == nil {
		c.config[who] = map[string]string{}
	}
	c.config[who][optionName(name)] = value
}

func (c *call) configRemove() error {
	delete(c.config[c.str("who")], optionName(c.str("name")))
	return nil
}

// defaultOptions are the built-in values that code under test may read.
func defaultOptions() map[string]string {
	return map[string]string{
		"mon_allow_pool_delete": "false", "mon_allow_pool_size_one": "false", "osd_pool_default_size": "3", "osd_pool_default_min_size": "0",
		"mon_max_pg_per_osd": "250", "ms_cluster_mode": "crc secure", "osd_crush_update_on_start": "true",
		"auth_allow_insecure_global_id_reclaim": "true", "mon_osd_down_out_interval": "600",
	}
}

// effective is the value that who would use: its own, its daemon type's, the
// global one, or the default.
func (c *Cluster) effective(who, name string) (string, bool) {
	daemon, _, _ := strings.Cut(who, ".")
	for _, section := range []string{who, daemon, "global"} {
		if value, set := c.config[section][name]; set {
			return value, true
		}
	}
	value, known := defaultOptions()[name]
	return value, known
}

func (c *call) configGet() (any, error) {
	name := optionName(c.str("key"))
	value, known := c.effective(c.str("who"), name)
	if !known {
		return nil, refuse(errNoEntry, "unrecognized key '%s'", name)
	}
	return text(value + "\n"), nil
}

func (c *call) configDump() (any, error) {
	options := []ceph.ConfigOption{}
	for _, who := range sortedKeys(c.config) {
		section, mask, _ := strings.Cut(who, "/")
		for _, name := range sortedKeys(c.config[who]) {
			options = append(options, ceph.ConfigOption{
				Section: section, Name: name, Value: c.config[who][name], Mask: mask,
			})
		}
	}
	return options, nil
}

func (c *call) configAssimilate() (any, error) {
	section := "global"
	for line := range strings.Lines(string(c.input)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			return nil, refuse(errInvalid, "failed to parse config file")
		}
		c.setOption(section, strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return text("\n"), nil
}

func (c *call) keyGet() (any, error) {
	value, found := c.store[c.str("key")]
	if !found {
		return nil, refuse(errNoEntry, "error obtaining '%s': (2) No such file or directory", c.str("key"))
	}
	return text(value), nil
}

func (c *call) keySet() error {
	value := slices.Clone(c.input)
	if c.has("val") {
		value = []byte(c.str("val"))
	}
	c.store[c.str("key")] = value
	return nil
}

func (c *call) keyExists() (any, error) {
	if _, found := c.store[c.str("key")]; !found {
		return nil, refuse(errNoEntry, "key '%s' doesn't exist", c.str("key"))
	}
	return nil, nil
}
