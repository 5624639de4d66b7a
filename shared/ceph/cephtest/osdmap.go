package cephtest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func osdMapCommands() map[string]command {
	return map[string]command{
		"osd set":                    write("key:str", (*call).osdSet),
		"osd unset":                  write("key:str", (*call).osdUnset),
		"osd set-group":              write("flags:str who:list", (*call).osdSetGroup),
		"osd unset-group":            write("flags:str who:list", (*call).osdUnsetGroup),
		"osd set-full-ratio":         write("ratio:float", ratio("full")),
		"osd set-backfillfull-ratio": write("ratio:float", ratio("backfillfull")),
		"osd set-nearfull-ratio":     write("ratio:float", ratio("nearfull")),
		"osd require-osd-release":    write("release:str yes_i_really_mean_it:bool?", (*call).requireRelease),
		"osd set-require-min-compat-client": write("version:str yes_i_really_mean_it:bool?",
			(*call).requireClient),
		"osd blocklist":    write("range:str? blocklistop:str addr:str expire:float?", (*call).blocklist),
		"osd blocklist ls": read("", (*call).blocklistList),
	}
}

func (c *call) osdSet() error {
	if !slices.Contains(settableFlags(), c.str("key")) {
		return refuse(errInvalid, "invalid command: %s is not a flag", c.str("key"))
	}
	c.osds.flags[c.str("key")] = true
	c.osds.epoch++
	return nil
}

func (c *call) osdUnset() error {
	if !slices.Contains(settableFlags(), c.str("key")) {
		return refuse(errInvalid, "invalid command: %s is not a flag", c.str("key"))
	}
	delete(c.osds.flags, c.str("key"))
	c.osds.epoch++
	return nil
}

func (c *call) groupMembers() error {
	for _, flag := range strings.Split(c.str("flags"), ",") {
		if !slices.Contains([]string{"noup", "nodown", "noin", "noout"}, flag) {
			return refuse(errInvalid, "unrecognized flag '%s', must be one of {noup,nodown,noin,noout}", flag)
		}
	}
	for _, who := range c.list("who") {
		if c.crush.find(who) == nil && !slices.Contains(c.classes(), who) {
			return refuse(errInvalid, "unable to parse osd id or crush node or device class: \"%s\". ", who)
		}
	}
	return nil
}

func (c *call) osdSetGroup() error {
	if err := c.groupMembers(); err != nil {
		return err
	}
	for _, who := range c.list("who") {
		flags := append(c.osds.groupFlags[who], strings.Split(c.str("flags"), ",")...)
		slices.Sort(flags)
		c.osds.groupFlags[who] = slices.Compact(flags)
	}
	c.osds.epoch++
	return nil
}

func (c *call) osdUnsetGroup() error {
	if err := c.groupMembers(); err != nil {
		return err
	}
	gone := strings.Split(c.str("flags"), ",")
	for _, who := range c.list("who") {
		c.osds.groupFlags[who] = slices.DeleteFunc(c.osds.groupFlags[who], func(flag string) bool {
			return slices.Contains(gone, flag)
		})
	}
	c.osds.epoch++
	return nil
}

func ratio(name string) func(*call) error {
	return func(c *call) error {
		c.osds.ratios[name] = float64(float32(c.float("ratio")))
		c.osds.epoch++
		return nil
	}
}

func (c *call) requireRelease() error {
	order := []string{"luminous", "mimic", "nautilus", "octopus", "pacific", "quincy", "reef", "squid", "tentacle"}
	wanted := slices.Index(order, c.str("release"))
	switch {
	case wanted < 0:
		return refuse(errInvalid, "unrecognized release %s", c.str("release"))
	case wanted < slices.Index(order, c.osds.release):
		return refuse(errPerm, "require_osd_release cannot be lowered once it has been set")
	case wanted > slices.Index(order, releaseName(c.version)):
		return refuse(errPerm, "not all up OSDs have the required features")
	}
	c.osds.release = c.str("release")
	c.osds.epoch++
	return nil
}

func (c *call) requireClient() error {
	order := []string{"luminous", "mimic", "nautilus", "octopus", "pacific", "quincy", "reef", "squid", "tentacle"}
	if !slices.Contains(order, c.str("version")) {
		return refuse(errInvalid, "version %s is not recognized", c.str("version"))
	}
	c.osds.minClient = c.str("version")
	c.osds.epoch++
	return nil
}

// rangeMark tells ranges from single addresses in the fake's blocklist.
const rangeMark = "range "

func (c *call) blocklist() error {
	addr := c.str("addr")
	if !strings.Contains(addr, ":") {
		addr += ":0"
	}
	if !strings.Contains(addr, "/") {
		addr += "/0"
	}
	if c.str("range") != "" {
		base, bits, _ := strings.Cut(c.str("addr"), "/")
		addr = rangeMark + base + ":0/" + bits
	}
	switch _, listed := c.osds.blocklist[addr]; {
	case c.str("blocklistop") == "add":
		c.osds.blocklist[addr] = "2126-01-01T00:00:00.000000+0000"
		c.osds.epoch++
	case listed:
		delete(c.osds.blocklist, addr)
		c.osds.epoch++
	default:
		c.status = addr + " isn't blocklisted"
	}
	return nil
}

func (c *call) blocklistList() (any, error) {
	list, ranges := []ceph.BlocklistEntry{}, []map[string]string{}
	for _, addr := range sortedKeys(c.osds.blocklist) {
		if cidr, isRange := strings.CutPrefix(addr, rangeMark); isRange {
			ranges = append(ranges, map[string]string{"range": cidr, "until": c.osds.blocklist[addr]})
			continue
		}
		list = append(list, ceph.BlocklistEntry{Addr: addr, Until: c.osds.blocklist[addr]})
	}
	single, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	several, err := json.Marshal(ranges)
	return text(append(single, several...)), err
}

// Blocklisted tells whether a client address is refused by the OSDs.
func (c *Cluster) Blocklisted(addr string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, listed := c.osds.blocklist[addr]
	return listed
}
