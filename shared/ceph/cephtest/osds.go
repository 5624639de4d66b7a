package cephtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const tebibyte = 1 << 40

// osdmap is the OSDs and the cluster-wide settings of the osdmap.
type osdmap struct {
	epoch      uint64
	all        map[int]*osd
	flags      map[string]bool
	groupFlags map[string][]string
	blocklist  map[string]string
	release    string
	minClient  string
	ratios     map[string]float64
}

type osd struct {
	id        int
	uuid      string
	secret    string
	up, in    bool
	booted    bool
	destroyed bool
	upFrom    uint64
	downAt    uint64
	class     string
	host      string
	size      float64
}

func (o *osd) bytes() uint64 { return uint64(o.size * tebibyte) }

func newOSDMap() osdmap {
	return osdmap{
		epoch: firstOSDMapEpoch, all: map[int]*osd{}, groupFlags: map[string][]string{},
		flags:     map[string]bool{"sortbitwise": true, "recovery_deletes": true, "purged_snapdirs": true, "pglog_hardlimit": true},
		blocklist: map[string]string{}, minClient: "luminous",
		ratios: map[string]float64{"full": 0.95, "backfillfull": 0.9, "nearfull": 0.85},
	}
}

func (c *Cluster) setRelease() {
	if c.osds.release == "" {
		c.osds.release = releaseName(c.version)
	}
}

func osdName(id int) string { return "osd." + strconv.Itoa(id) }

func (m *osdmap) add(id int, uuid, secret string) {
	m.all[id] = &osd{id: id, uuid: uuid, secret: secret, in: true}
	m.epoch++
}

func (m *osdmap) ids() []int { return slices.Sorted(maps.Keys(m.all)) }

func (m *osdmap) countUp() int {
	return m.count(func(o *osd) bool { return o.up })
}

func (m *osdmap) countIn() int {
	return m.count(func(o *osd) bool { return o.in })
}

func (m *osdmap) count(match func(*osd) bool) int {
	n := 0
	for _, one := range m.all {
		if match(one) {
			n++
		}
	}
	return n
}

func (m *osdmap) warningFlags() []string {
	var set []string
	for _, flag := range settableFlags() {
		if m.flags[flag] {
			set = append(set, flag)
		}
	}
	return set
}

func settableFlags() []string {
	return []string{
		"full", "pause", "noup", "nodown", "noout", "noin", "nobackfill", "norebalance", "norecover",
		"noscrub", "nodeep-scrub", "notieragent", "nosnaptrim",
	}
}

// OSDStart is what an OSD tells the cluster when it boots. Location wins over
// Host; with neither the OSD keeps its place. Weight is its size in TiB.
type OSDStart struct {
	Host     string
	Location ceph.Location
	Class    string
	Weight   float64
}

// StartOSD boots an OSD that "osd new" made: it comes up and in, moves to its
// CRUSH location and, if it has none, gets the device class.
func (c *Cluster) StartOSD(id int, start OSDStart) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startOSD(id, start)
}

func (c *Cluster) startOSD(id int, start OSDStart) {
	one, found := c.osds.all[id]
	if !found || one.destroyed {
		c.t.Errorf("cephtest: StartOSD: osd.%d was not made by \"osd new\"", id)
		return
	}
	if start.Location == nil && start.Host != "" {
		start.Location = ceph.Location{"root=default", "host=" + start.Host}
	}
	if start.Location != nil {
		if err := c.crush.place(osdName(id), id, start.Weight, start.Location, keepWeight); err != nil {
			c.t.Errorf("cephtest: StartOSD: place osd.%d: %v", id, err)
		}
	}
	if one.class == "" {
		one.class = start.Class
	}
	one.host, one.size = start.Host, start.Weight
	one.up, one.booted = true, true
	c.osds.epoch++
	one.upFrom = c.osds.epoch
}

// LoseOSD stops an OSD; it stays in until "osd out".
func (c *Cluster) LoseOSD(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.downOSD(id)
}

func (c *Cluster) downOSD(id int) {
	if one, found := c.osds.all[id]; found && one.up {
		one.up = false
		c.osds.epoch++
		one.downAt = c.osds.epoch
	}
}

// ReturnOSD boots a lost OSD again in its place.
func (c *Cluster) ReturnOSD(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one, found := c.osds.all[id]; found {
		c.startOSD(id, OSDStart{Weight: one.size})
	}
}

// OSDIDs returns the ids of all OSDs in order.
func (c *Cluster) OSDIDs() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.osds.ids()
}

func osdWriteCommands() map[string]command {
	return map[string]command{
		"osd new":     answer("uuid:str id:int?", (*call).osdNew),
		"osd purge":   mgrWrite("id:int force:bool? yes_i_really_mean_it:bool?", (*call).osdPurge),
		"osd destroy": mgrWrite("id:int force:bool? yes_i_really_mean_it:bool?", (*call).osdDestroy),
		"osd in":      write("ids:list", func(c *call) error { return c.eachOSD(func(o *osd) { o.in = true }) }),
		"osd out":     write("ids:list", func(c *call) error { return c.eachOSD(func(o *osd) { o.in = false }) }),
		"osd down": write("ids:list definitely_dead:bool?", func(c *call) error {
			return c.eachOSD(func(o *osd) { o.up = false; o.downAt = c.osds.epoch })
		}),
	}
}

func (c *call) eachOSD(change func(*osd)) error {
	for _, text := range c.list("ids") {
		id, err := strconv.Atoi(text)
		if err != nil {
			return refuse(errInvalid, "invalid osd id '%s'", text)
		}
		one, found := c.osds.all[id]
		if !found {
			c.status += fmt.Sprintf("osd.%d does not exist. ", id)
			continue
		}
		c.osds.epoch++
		change(one)
	}
	return nil
}

func (c *call) osdNew() (any, error) {
	var secrets struct {
		Cephx string `json:"cephx_secret"`
		Class string `json:"crush_device_class"`
	}
	if err := json.Unmarshal(c.input, &secrets); err != nil || secrets.Cephx == "" {
		return nil, refuse(errInvalid, "requires a cephx secret")
	}
	uuid := c.str("uuid")
	for id, one := range c.osds.all {
		if one.uuid != uuid {
			continue
		}
		if c.has("id") && c.integer("id") != id {
			return nil, refuse(errExists, "uuid %s already in use for different id %d", uuid, id)
		}
		if one.secret != secrets.Cephx {
			return nil, refuse(errExists, "uuid %s already exists with another key", uuid)
		}
		return map[string]int{"osdid": id}, nil
	}
	id, err := c.newOSDID()
	if err != nil {
		return nil, err
	}
	c.osds.add(id, uuid, secrets.Cephx)
	c.osds.all[id].class = secrets.Class
	c.users[osdName(id)] = osdUser(id, secrets.Cephx)
	return map[string]int{"osdid": id}, nil
}

func (c *call) newOSDID() (int, error) {
	if !c.has("id") {
		id := 0
		for c.osds.all[id] != nil {
			id++
		}
		return id, nil
	}
	id := c.integer("id")
	if one, found := c.osds.all[id]; found && !one.destroyed {
		return 0, refuse(errInvalid, "id %d already in use and does not match uuid", id)
	}
	return id, nil
}

// removable is the check that "osd purge" and "osd destroy" share.
func (c *call) removable() (*osd, error) {
	one, found := c.osds.all[c.integer("id")]
	if !found {
		c.status = fmt.Sprintf("osd.%d does not exist", c.integer("id"))
		return nil, nil
	}
	forced := c.flag("force") || c.flag("yes_i_really_mean_it")
	if !forced && c.holdsData(one.id) {
		return nil, refuse(errBusy, "OSD(s) %d have data. Pass --force to proceed", one.id)
	}
	if one.up {
		return nil, refuse(errBusy, "osd.%d is not `down`.", one.id)
	}
	return one, nil
}

func (c *call) osdPurge() error {
	one, err := c.removable()
	if err != nil || one == nil {
		return err
	}
	delete(c.osds.all, one.id)
	delete(c.users, osdName(one.id))
	c.crush.remove(osdName(one.id))
	c.osds.epoch++
	return nil
}

func (c *call) osdDestroy() error {
	one, err := c.removable()
	if err != nil || one == nil {
		return err
	}
	one.destroyed, one.uuid, one.secret, one.booted = true, "", "", false
	delete(c.users, osdName(one.id))
	c.osds.epoch++
	return nil
}
