package cephtest

import (
	"slices"
	"strconv"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

func replicatedRule(id int, spec ceph.CrushRuleSpec, root int) ceph.CrushRule {
	rule := chooseRule(id, spec, root)
	rule.Type = ceph.PoolReplicated
	return rule
}

func chooseRule(id int, spec ceph.CrushRuleSpec, root int) ceph.CrushRule {
	item := spec.Root
	if spec.DeviceClass != "" {
		item += "~" + spec.DeviceClass
	}
	op := "chooseleaf_firstn"
	if spec.FailureDomain == "osd" {
		op = "choose_firstn"
	}
	return ceph.CrushRule{ID: id, Name: spec.Name, Steps: []ceph.CrushStep{
		{Op: "take", Item: root, ItemName: item},
		{Op: op, Type: spec.FailureDomain},
		{Op: "emit"},
	}}
}

// failureDomain is the root, device class and spreading type of a rule.
func failureDomain(rule ceph.CrushRule) (root, class, kind string) {
	for _, step := range rule.Steps {
		switch {
		case step.Op == "take":
			root, class, _ = cutLast(step.ItemName)
		case step.Type != "":
			kind = step.Type
		}
	}
	return root, class, kind
}

func cutLast(name string) (string, string, bool) {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '~' {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

func (m *crushmap) rule(name string) *ceph.CrushRule {
	for i := range m.rules {
		if m.rules[i].Name == name {
			return &m.rules[i]
		}
	}
	return nil
}

func (m *crushmap) ruleByID(id int) *ceph.CrushRule {
	for i := range m.rules {
		if m.rules[i].ID == id {
			return &m.rules[i]
		}
	}
	return nil
}

func (m *crushmap) freeRuleID() int {
	id := 0
	for m.ruleByID(id) != nil {
		id++
	}
	return id
}

func ruleCommands() map[string]command {
	return map[string]command{
		"osd crush rule ls":   read("", (*call).ruleList),
		"osd crush rule dump": read("name:str?", (*call).ruleDump),
		"osd crush rule create-replicated": write("name:str root:str type:str class:str?",
			(*call).ruleCreateReplicated),
		"osd crush rule create-erasure": write("name:str profile:str?", (*call).ruleCreateErasure),
		"osd crush rule rm":             write("name:str", (*call).ruleRemove),
	}
}

func (c *call) ruleList() (any, error) {
	names := []string{}
	for _, rule := range c.crush.rules {
		names = append(names, rule.Name)
	}
	return names, nil
}

func (c *call) ruleDump() (any, error) {
	if !c.has("name") {
		return c.crush.rules, nil
	}
	rule := c.crush.rule(c.str("name"))
	if rule == nil {
		return nil, refuse(errNoEntry, "unknown crush rule '%s'", c.str("name"))
	}
	return rule, nil
}

func (c *call) ruleCreateReplicated() error {
	spec := ceph.CrushRuleSpec{
		Name: c.str("name"), Root: c.str("root"), FailureDomain: c.str("type"), DeviceClass: c.str("class"),
	}
	if c.crush.rule(spec.Name) != nil {
		c.status = "rule " + spec.Name + " already exists"
		return nil
	}
	root, err := c.checkRule(spec)
	if err != nil {
		return err
	}
	c.crush.rules = append(c.crush.rules, replicatedRule(c.crush.freeRuleID(), spec, root.id))
	c.osds.epoch++
	return nil
}

func (c *call) checkRule(spec ceph.CrushRuleSpec) (*crushItem, error) {
	root := c.crush.find(spec.Root)
	if root == nil {
		return nil, refuse(errNoEntry, "root item %s does not exist", spec.Root)
	}
	if crushTypeID(spec.FailureDomain) < 0 {
		return nil, refuse(errInvalid, "unknown type %s", spec.FailureDomain)
	}
	if spec.DeviceClass != "" && !slices.Contains(c.classes(), spec.DeviceClass) {
		return nil, refuse(errInvalid, "device class %s does not exist", spec.DeviceClass)
	}
	return root, nil
}

func (c *call) ruleCreateErasure() error {
	if c.crush.rule(c.str("name")) != nil {
		c.status = "rule " + c.str("name") + " already exists"
		return nil
	}
	profile := c.str("profile")
	if profile == "" {
		profile = "default"
	}
	_, err := c.erasureRule(c.str("name"), profile)
	return err
}

// erasureRule returns the id of the rule with this name, made from the
// profile when it does not exist.
func (c *call) erasureRule(name, profile string) (int, error) {
	if rule := c.crush.rule(name); rule != nil {
		return rule.ID, nil
	}
	settings, found := c.pools.profiles[profile]
	if !found {
		return 0, refuse(errInvalid, "unknown erasure code profile '%s'", profile)
	}
	spec := ceph.CrushRuleSpec{
		Name: name, Root: orElse(settings["crush-root"], "default"),
		FailureDomain: orElse(settings["crush-failure-domain"], "host"), DeviceClass: settings["crush-device-class"],
	}
	root, err := c.checkRule(spec)
	if err != nil {
		return 0, err
	}
	rule := chooseRule(c.crush.freeRuleID(), spec, root.id)
	rule.Type = ceph.PoolErasure
	rule.Steps = append([]ceph.CrushStep{
		{Op: "set_chooseleaf_tries", Num: 5}, {Op: "set_choose_tries", Num: 100},
	}, rule.Steps...)
	rule.Steps[3].Op = map[string]string{"osd": "choose_indep"}[spec.FailureDomain]
	rule.Steps[3].Op = orElse(rule.Steps[3].Op, "chooseleaf_indep")
	c.crush.rules = append(c.crush.rules, rule)
	c.osds.epoch++
	return rule.ID, nil
}

func orElse(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}

func (c *call) ruleRemove() error {
	rule := c.crush.rule(c.str("name"))
	if rule == nil {
		c.status = "rule " + c.str("name") + " does not exist"
		return nil
	}
	for _, pool := range c.pools.all {
		if pool.CrushRule == rule.ID {
			return refuse(errBusy, "crush rule %s (%s) is in use", rule.Name, strconv.Itoa(rule.ID))
		}
	}
	id := rule.ID
	c.crush.rules = slices.DeleteFunc(c.crush.rules, func(r ceph.CrushRule) bool { return r.ID == id })
	c.osds.epoch++
	return nil
}
