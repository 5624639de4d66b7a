package cephtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// crushmap is the tree and the rules.
type crushmap struct {
	items  []*crushItem
	nextID int
	rules  []ceph.CrushRule
}

// crushItem is a bucket (negative id) or an OSD.
type crushItem struct {
	id     int
	name   string
	kind   string
	parent string
	weight float64
}

func (i *crushItem) osd() bool { return i.id >= 0 }

type weighting int

const (
	keepWeight weighting = iota
	setWeight
)

func newCrushmap() crushmap {
	m := crushmap{nextID: -1}
	m.addBucket("default", "root", "")
	m.rules = []ceph.CrushRule{replicatedRule(0, ceph.CrushRuleSpec{
		Name: "replicated_rule", Root: "default", FailureDomain: "host",
	}, -1)}
	return m
}

func crushTypes() []string {
	return []string{
		"osd", "host", "chassis", "rack", "row", "pdu", "pod", "room", "datacenter", "zone", "region", "root",
	}
}

func crushTypeID(name string) int { return slices.Index(crushTypes(), name) }

func (m *crushmap) find(name string) *crushItem {
	for _, item := range m.items {
		if item.name == name {
			return item
		}
	}
	return nil
}

func (m *crushmap) addBucket(name, kind, parent string) *crushItem {
	bucket := &crushItem{id: m.nextID, name: name, kind: kind, parent: parent}
	m.nextID--
	m.items = append(m.items, bucket)
	return bucket
}

func (m *crushmap) roots() []*crushItem { return m.children("") }

func (m *crushmap) children(parent string) []*crushItem {
	var list []*crushItem
	for _, item := range m.items {
		if item.parent == parent {
			list = append(list, item)
		}
	}
	slices.SortStableFunc(list, func(a, b *crushItem) int { return strings.Compare(a.name, b.name) })
	return list
}

func (m *crushmap) osdsBelow(name string) []int {
	var ids []int
	if item := m.find(name); item != nil && item.osd() {
		ids = append(ids, item.id)
	}
	for _, child := range m.children(name) {
		ids = append(ids, m.osdsBelow(child.name)...)
	}
	slices.Sort(ids)
	return ids
}

func (m *crushmap) remove(name string) {
	m.items = slices.DeleteFunc(m.items, func(item *crushItem) bool { return item.name == name })
}

// parse reads "type=name" pairs from the innermost bucket outwards.
func parseLocation(at []string) ([]*crushItem, error) {
	var path []*crushItem
	for _, pair := range at {
		kind, name, found := strings.Cut(pair, "=")
		if !found || name == "" || crushTypeID(kind) < 1 {
			return nil, refuse(errInvalid, "invalid location '%s'", pair)
		}
		path = append(path, &crushItem{kind: kind, name: name})
	}
	slices.SortFunc(path, func(a, b *crushItem) int { return crushTypeID(a.kind) - crushTypeID(b.kind) })
	return path, nil
}

// place puts an OSD or bucket at a location and makes the buckets on the way.
func (m *crushmap) place(name string, id int, weight float64, at ceph.Location, rule weighting) error {
	path, err := parseLocation(at)
	if err != nil {
		return err
	}
	item := m.find(name)
	if item == nil {
		item = &crushItem{id: id, name: name, kind: "osd", weight: weight}
		m.items = append(m.items, item)
	}
	if rule == setWeight {
		item.weight = weight
	}
	for _, step := range path {
		bucket := m.find(step.name)
		if bucket == nil {
			bucket = m.addBucket(step.name, step.kind, "")
		}
		if bucket.kind != step.kind {
			return refuse(errInvalid, "bucket %s is a %s, not a %s", step.name, bucket.kind, step.kind)
		}
		moved := item.parent != bucket.name
		item.parent = bucket.name
		if !moved && bucket.parent != "" {
			return nil
		}
		item = bucket
	}
	return nil
}

// Location returns where an OSD or bucket sits, innermost first.
func (c *Cluster) Location(name string) ceph.Location {
	c.mu.Lock()
	defer c.mu.Unlock()
	var at ceph.Location
	for item := c.crush.find(name); item != nil && item.parent != ""; {
		item = c.crush.find(item.parent)
		if item != nil {
			at = append(at, item.kind+"="+item.name)
		}
	}
	return at
}

func crushCommands() map[string]command {
	return map[string]command{
		"osd crush set":              write("id:int weight:float args:list", (*call).crushSet),
		"osd crush create-or-move":   write("id:int weight:float args:list", (*call).crushCreateOrMove),
		"osd crush move":             write("name:str args:list", (*call).crushMove),
		"osd crush add-bucket":       write("name:str type:str args:list?", (*call).crushAddBucket),
		"osd crush rm":               write("name:str", (*call).crushRemove),
		"osd crush reweight":         write("name:str weight:float", (*call).crushReweight),
		"osd crush set-device-class": write("class:str ids:list", (*call).crushSetClass),
		"osd crush rm-device-class":  write("ids:list", (*call).crushRemoveClass),
		"osd crush class ls":         read("", func(c *call) (any, error) { return c.classes(), nil }),
		"osd crush class ls-osd":     read("class:str", (*call).crushClassOSDs),
	}
}

func (c *call) crushPlace(rule weighting) error {
	id := c.integer("id")
	if c.osds.all[id] == nil {
		return refuse(errNoEntry, "osd.%d does not exist.  create it before updating the crush map", id)
	}
	c.osds.epoch++
	return c.crush.place(osdName(id), id, c.float("weight"), c.list("args"), rule)
}

func (c *call) crushSet() error { return c.crushPlace(setWeight) }

func (c *call) crushCreateOrMove() error { return c.crushPlace(keepWeight) }

func (c *call) crushMove() error {
	item := c.crush.find(c.str("name"))
	if item == nil {
		return refuse(errNoEntry, "item %s does not exist", c.str("name"))
	}
	c.osds.epoch++
	return c.crush.place(item.name, item.id, item.weight, c.list("args"), keepWeight)
}

func (c *call) crushAddBucket() error {
	name := c.str("name")
	if crushTypeID(c.str("type")) < 0 {
		return refuse(errInvalid, "type '%s' does not exist", c.str("type"))
	}
	if c.crush.find(name) != nil {
		c.status = "bucket '" + name + "' already exists"
		return nil
	}
	c.crush.addBucket(name, c.str("type"), "")
	c.osds.epoch++
	if !c.has("args") {
		return nil
	}
	return c.crush.place(name, 0, 0, c.list("args"), keepWeight)
}

func (c *call) crushRemove() error {
	item := c.crush.find(c.str("name"))
	if item == nil {
		c.status = "device '" + c.str("name") + "' does not appear in the crush map"
		return nil
	}
	if len(c.crush.children(item.name)) > 0 {
		return refuse(errNotEmpty, "(39) Directory not empty")
	}
	for _, rule := range c.crush.rules {
		if rule.Steps[0].ItemName == item.name {
			return refuse(errBusy, "(16) Device or resource busy")
		}
	}
	c.crush.remove(item.name)
	c.osds.epoch++
	return nil
}

func (c *call) crushReweight() error {
	item := c.crush.find(c.str("name"))
	if item == nil {
		return refuse(errNoEntry, "device '%s' does not appear in the crush map", c.str("name"))
	}
	if !item.osd() {
		return refuse(errInvalid, "device '%s' is not a leaf in the crush map", c.str("name"))
	}
	item.weight = c.float("weight")
	c.osds.epoch++
	return nil
}

// classOSDs reads the ids of the class commands: "3", "osd.3", "any", "all".
func (c *call) classOSDs() ([]*osd, error) {
	var list []*osd
	for _, word := range c.list("ids") {
		if word == "any" || word == "all" || word == "*" {
			for _, id := range c.osds.ids() {
				list = append(list, c.osds.all[id])
			}
			continue
		}
		id, err := strconv.Atoi(strings.TrimPrefix(word, "osd."))
		if err != nil {
			return nil, refuse(errInvalid, "unable to parse osd id:\"%s\"", word)
		}
		if one := c.osds.all[id]; one != nil {
			list = append(list, one)
		} else {
			c.status += fmt.Sprintf("osd.%d does not exist. ", id)
		}
	}
	return list, nil
}

func (c *call) crushSetClass() error {
	list, err := c.classOSDs()
	if err != nil {
		return err
	}
	for _, one := range list {
		if one.class != "" && one.class != c.str("class") {
			return refuse(errBusy, "osd.%d has already bound to class '%s', can not reset class to '%s'; "+
				"use 'ceph osd crush rm-device-class <id>' to remove old class first", one.id, one.class, c.str("class"))
		}
	}
	for _, one := range list {
		one.class = c.str("class")
	}
	c.osds.epoch++
	return nil
}

func (c *call) crushRemoveClass() error {
	list, err := c.classOSDs()
	for _, one := range list {
		one.class = ""
	}
	c.osds.epoch++
	return err
}

func (c *Cluster) classes() []string {
	set := map[string]bool{}
	for _, one := range c.osds.all {
		if one.class != "" {
			set[one.class] = true
		}
	}
	return sortedKeys(set)
}

func (c *call) crushClassOSDs() (any, error) {
	ids := []int{}
	for _, id := range c.osds.ids() {
		if c.osds.all[id].class == c.str("class") {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
