package sitetest

import (
	"maps"
	"slices"
)

// realm finds the one that a command names.
func (c *call) realm() (object, error) {
	found := find(c.realms, "name", c.options["rgw-realm"])
	if found == nil {
		return nil, c.fail(notFound, "no realm "+c.options["rgw-realm"])
	}
	return found, nil
}

func (c *call) realmGet() (any, error) { return c.realm() }

func (c *call) realmList() (any, error) {
	return object{"default_info": c.standby, "realms": named(c.realms)}, nil
}

func (c *call) realmCreate() (any, error) {
	name := c.options["rgw-realm"]
	if find(c.realms, "name", name) != nil {
		return nil, c.fail(exists, "realm exists")
	}
	made := object{"id": c.id("realm"), "name": name, "current_period": c.id("period")}
	c.realms = append(c.realms, made)
	c.periods = append(c.periods, object{"id": made["current_period"], "epoch": 1.0, "realm_epoch": 1.0, "realm_id": made["id"], "predecessor_uuid": "",
		"master_zonegroup": "", "master_zone": "", "period_config": object{}, "period_map": object{"zonegroups": []any{}, "short_zone_ids": []any{}}})
	return made, nil
}

// realmPull takes a realm over from the site at an URL, for the keys of a system user
// there.
func (c *call) realmPull() (any, error) {
	far, err := c.far(c.options["url"])
	if err != nil {
		return nil, err
	}
	realm := find(far.realms, "name", c.options["rgw-realm"])
	if realm == nil {
		return nil, c.fail(notFound, "no such realm there")
	}
	c.realms = append(c.realms, copied(realm))
	c.take(copied(far.current(realm)))
	return realm, nil
}

// far is the site at an URL, if it knows the keys of a command.
func (c *call) far(url string) (*Site, error) {
	for _, one := range c.world.all {
		if one.URL != url || one.silent {
			continue
		}
		for _, user := range one.users {
			for _, key := range list(user, "keys") {
				if user["system"] == true && text(key, "access_key") == c.command.AccessKey && text(key, "secret_key") == c.command.SecretKey {
					return one, nil
				}
			}
		}
		return nil, c.fail(denied, "permission denied")
	}
	return nil, c.fail(broken, "nobody answers at "+url)
}

func (c *call) realmDefault() (any, error) {
	realm, err := c.realm()
	if err == nil {
		c.standby = text(realm, "id")
	}
	return nil, err
}

func (c *call) realmRemove() (any, error) {
	realm, err := c.realm()
	if err == nil {
		c.realms = without(c.realms, "id", text(realm, "id"))
	}
	return nil, err
}

// current is the period of a realm; nil for none.
func (s *Site) current(realm object) object {
	return find(s.periods, "id", text(realm, "current_period"))
}

func (c *call) periodGet() (any, error) {
	found := find(c.periods, "id", c.options["period"])
	if !c.options.has("period") {
		realm, err := c.realm()
		if err != nil {
			return nil, err
		}
		found = c.current(realm)
	}
	if found == nil {
		return nil, c.fail(notFound, "no period")
	}
	return found, nil
}

func (c *call) periodList() (any, error) {
	ids := []any{}
	for _, one := range c.periods {
		ids = append(ids, one["id"])
	}
	return object{"periods": ids}, nil
}

func (c *call) periodDelete() (any, error) {
	c.periods = without(c.periods, "id", c.options["period"])
	return nil, nil
}

// periodUpdate says what the next period would be, or commits it.
func (c *call) periodUpdate() (any, error) {
	realm, err := c.realm()
	if err != nil {
		return nil, err
	}
	zone := find(c.zones, "name", c.options["rgw-zone"])
	if !c.inGroup(zone) {
		return nil, c.fail(notAllowed, "Unable to initialize site config.")
	}
	now := c.current(realm)
	next := copied(now)
	staging := text(realm, "id") + ":staging"
	next["id"], next["predecessor_uuid"], next["realm_epoch"] = staging, now["id"], now["realm_epoch"].(float64)+1
	groups, short := []any{}, []any{}
	for _, group := range c.groups {
		if text(group, "realm_id") != text(realm, "id") {
			continue
		}
		groups = append(groups, copied(group))
		for _, one := range list(group, "zones") {
			short = append(short, object{"key": one["id"], "val": 1.0})
		}
		if group["is_master"] == true {
			next["master_zonegroup"], next["master_zone"] = group["id"], group["master_zone"]
		}
	}
	next["period_map"] = object{"zonegroups": groups, "short_zone_ids": short}
	c.periods = append(without(c.periods, "id", staging), copied(next))
	if !c.options.has("commit") {
		return next, nil
	}
	return c.commit(zone, next)
}

// inGroup tells whether a zone is in a zone group of this site.
func (c *call) inGroup(zone object) bool {
	return zone != nil && slices.ContainsFunc(c.groups, func(group object) bool {
		return find(list(group, "zones"), "id", text(zone, "id")) != nil
	})
}

// commit makes a period the present one. Who is not the master zone asks a gateway of it,
// wherever that is.
func (c *call) commit(zone, next object) (any, error) {
	master := text(next, "master_zone")
	if master == "" {
		return nil, c.fail(invalid, "cannot commit period: period does not have a master zone of a master zonegroup")
	}
	if text(zone, "id") == master {
		return c.accept(c, next)
	}
	endpoint := ""
	for _, group := range list(next["period_map"].(object), "zonegroups") {
		if one := find(list(group, "zones"), "id", master); one != nil {
			for _, url := range one["endpoints"].([]any) {
				endpoint = url.(string)
			}
		}
	}
	keys := zone["system_key"].(object)
	c.command.AccessKey, c.command.SecretKey = text(keys, "access_key"), text(keys, "secret_key")
	far, err := c.far(endpoint)
	if err != nil {
		return nil, err
	}
	made, err := far.accept(c, next)
	if err == nil {
		c.take(copied(made))
	}
	return made, err
}

// accept is what the site of the master zone does with a period to commit.
func (s *Site) accept(c *call, next object) (object, error) {
	realm := find(s.realms, "id", text(next, "realm_id"))
	now := s.current(realm)
	if now == nil || text(next, "predecessor_uuid") != text(now, "id") || next["realm_epoch"] != now["realm_epoch"].(float64)+1 {
		return nil, c.fail(invalid, "the period does not follow the present one")
	}
	if former := text(now, "master_zone"); former != "" && former != text(next, "master_zone") && !c.options.has("yes-i-really-mean-it") {
		return nil, c.fail(invalid, "failed to commit period")
	}
	made := copied(next)
	made["id"], made["epoch"], made["realm_epoch"], made["predecessor_uuid"] = now["id"], now["epoch"].(float64)+1, now["realm_epoch"], now["predecessor_uuid"]
	if text(now, "master_zone") != text(next, "master_zone") {
		made["id"], made["epoch"], made["realm_epoch"], made["predecessor_uuid"] = s.id("period"), 1.0, next["realm_epoch"], now["id"]
	}
	realm["current_period"] = made["id"]
	s.take(copied(made))
	return made, nil
}

// take keeps a period with the zone groups that it tells of.
func (s *Site) take(period object) {
	s.periods = append(without(s.periods, "id", text(period, "id")), period)
	if realm := find(s.realms, "id", text(period, "realm_id")); realm != nil {
		realm["current_period"] = period["id"]
	}
	for _, group := range list(period["period_map"].(object), "zonegroups") {
		s.groups = append(without(s.groups, "id", text(group, "id")), copied(group))
	}
}

// gateway is a request to a gateway of another site.
func (c *call) gateway() (any, error) {
	url := c.command.Args[1]
	const path = "/admin/realm/period"
	if len(url) <= len(path) || url[len(url)-len(path):] != path {
		return nil, c.fail(invalid, "not known")
	}
	far, err := c.far(url[:len(url)-len(path)])
	if err != nil {
		return nil, err
	}
	if c.verb == "gateway GET" {
		return maps.Clone(far.current(far.realms[0])), nil
	}
	return far.accept(c, decode(c.command.Input))
}
