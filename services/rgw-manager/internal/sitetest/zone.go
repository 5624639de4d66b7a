package sitetest

import (
	"encoding/json"
	"slices"
	"strings"
)

func decode(body []byte) object {
	var made object
	if err := json.Unmarshal(body, &made); err != nil {
		panic(err)
	}
	return made
}

func (c *call) group() (object, error) {
	found := find(c.groups, "name", c.options["rgw-zonegroup"])
	if found == nil {
		return nil, c.fail(notFound, "no zone group")
	}
	return found, nil
}

func (c *call) groupGet() (any, error) { return c.group() }
func (c *call) groupList() (any, error) {
	return object{"zonegroups": named(c.groups)}, nil
}

func (c *call) groupCreate() (any, error) {
	realm, err := c.realm()
	if err != nil {
		return nil, err
	}
	name := c.options["rgw-zonegroup"]
	if find(c.groups, "name", name) != nil {
		return nil, c.fail(exists, "zone group exists")
	}
	made := object{"id": c.id("group"), "name": name, "api_name": name, "is_master": c.options.has("master"), "endpoints": []any{}, "hostnames": []any{},
		"master_zone": "", "zones": []any{}, "default_placement": "default-placement", "realm_id": realm["id"],
		"placement_targets": []any{object{"name": "default-placement", "tags": []any{}, "storage_classes": []any{"STANDARD"}}}}
	c.groups = append(c.groups, made)
	return made, nil
}

func (c *call) groupSet() (any, error) {
	made := decode(c.command.Input)
	c.groups = append(without(c.groups, "id", text(made, "id")), made)
	return made, nil
}

func (c *call) groupDelete() (any, error) {
	group, err := c.group()
	if err == nil {
		c.groups = without(c.groups, "id", text(group, "id"))
	}
	return nil, err
}

// groupRemove takes a zone out of its zone group.
func (c *call) groupRemove() (any, error) {
	group, err := c.group()
	if err != nil {
		return nil, err
	}
	group["zones"] = anys(without(list(group, "zones"), "name", c.options["rgw-zone"]))
	return group, nil
}

func (c *call) zone() (object, error) {
	found := find(c.zones, "name", c.options["rgw-zone"])
	if found == nil {
		return nil, c.fail(notFound, "no zone")
	}
	return found, nil
}

func (c *call) zoneGet() (any, error) { return c.zone() }
func (c *call) zoneList() (any, error) {
	return object{"zones": named(c.zones)}, nil
}

func (c *call) zoneCreate() (any, error) {
	realm, err := c.realm()
	if err != nil {
		return nil, err
	}
	group, err := c.group()
	if err != nil {
		return nil, err
	}
	if found, _ := c.zone(); found != nil {
		return nil, c.fail(exists, "zone exists")
	}
	name, id := c.options["rgw-zone"], c.id("zone")
	made := object{"id": id, "name": name, "realm_id": realm["id"], "domain_root": name + ".rgw.meta:root", "control_pool": name + ".rgw.control",
		"log_pool": name + ".rgw.log", "user_uid_pool": name + ".rgw.meta:users.uid", "notif_pool": name + ".rgw.log:notif",
		"system_key": object{"access_key": c.command.AccessKey, "secret_key": c.command.SecretKey},
		"placement_pools": []any{object{"key": "default-placement", "val": object{"index_pool": name + ".rgw.buckets.index", "data_extra_pool": name + ".rgw.buckets.non-ec",
			"storage_classes": object{"STANDARD": object{"data_pool": name + ".rgw.buckets.data"}}}}}}
	c.zones = append(c.zones, made)
	endpoints := []any{}
	for _, one := range strings.FieldsFunc(c.options["endpoints"], func(r rune) bool { return r == ',' }) {
		endpoints = append(endpoints, one)
	}
	group["zones"] = append(group["zones"].([]any), object{"id": id, "name": name, "endpoints": endpoints})
	if c.options.has("master") {
		group["master_zone"] = id
	}
	return made, nil
}

func (c *call) zoneSet() (any, error) {
	made := decode(c.command.Input)
	c.zones = append(without(c.zones, "id", text(made, "id")), made)
	return made, nil
}

func (c *call) zoneDelete() (any, error) {
	zone, err := c.zone()
	if err != nil {
		return nil, err
	}
	c.zones = without(c.zones, "id", text(zone, "id"))
	for _, group := range c.groups {
		// It stays the master zone, as which it is none any more.
		group["zones"] = anys(without(list(group, "zones"), "id", text(zone, "id")))
	}
	return nil, nil
}

func (c *call) user() (object, error) {
	found := c.users[c.options["uid"]]
	if found == nil {
		return nil, c.fail(notFound, "no user info saved")
	}
	return found, nil
}

// populated is user for commands that do not say what they miss.
func (c *call) populated() (object, error) {
	found, err := c.user()
	if err != nil {
		return nil, c.fail(invalid, "user info was not populated")
	}
	return found, nil
}

func (c *call) bucketList() (any, error) { return append([]string{}, c.buckets...), nil }

func (c *call) userInfo() (any, error) { return c.user() }

func (c *call) userCreate() (any, error) {
	id := c.options["uid"]
	if c.users[id] != nil {
		return nil, c.fail(exists, "user exists")
	}
	c.users[id] = object{"user_id": id, "display_name": c.options["display-name"], "keys": []any{}, "caps": []any{}}
	if _, err := c.userModify(); err != nil {
		return nil, err
	}
	if _, err := c.keyCreate(); err != nil {
		return nil, err
	}
	if c.options.has("caps") {
		return c.capsAdd()
	}
	return c.users[id], nil
}

func (c *call) userModify() (any, error) {
	user, err := c.user()
	if err == nil && c.options.has("system") {
		user["system"] = true
	}
	return user, err
}

func (c *call) keyCreate() (any, error) {
	user, err := c.populated()
	if err == nil {
		keys := without(list(user, "keys"), "access_key", c.command.AccessKey)
		user["keys"] = anys(append(keys, object{"user": user["user_id"], "access_key": c.command.AccessKey, "secret_key": c.command.SecretKey}))
	}
	return user, err
}

func (c *call) capsAdd() (any, error) {
	user, err := c.populated()
	if err != nil {
		return nil, err
	}
	for _, one := range strings.Split(c.options["caps"], ";") {
		kind, perm, _ := strings.Cut(one, "=")
		if had := find(list(user, "caps"), "type", kind); had != nil && text(had, "perm") != perm {
			perm = "*" // of read and write
		}
		user["caps"] = anys(append(without(list(user, "caps"), "type", kind), object{"type": kind, "perm": perm}))
	}
	return user, nil
}

func (c *call) radosList() (any, error) {
	names := []any{}
	for _, name := range c.objects[c.options["pool"]+":"+c.options["namespace"]] {
		names = append(names, object{"namespace": c.options["namespace"], "name": name})
	}
	return names, nil
}

func (c *call) radosRemove() (any, error) {
	place := c.options["pool"] + ":" + c.options["namespace"]
	for _, arg := range c.command.Args[1:] {
		if !strings.HasPrefix(arg, "--") {
			c.objects[place] = slices.DeleteFunc(c.objects[place], func(name string) bool { return name == arg })
		}
	}
	return nil, nil
}
