package cephtest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

func adminUser(key keyring.Key) ceph.AuthUser {
	return ceph.AuthUser{Entity: key.Entity, Secret: key.Secret, Caps: map[string]string{
		"mon": "allow *", "mgr": "allow *", "osd": "allow *", "mds": "allow *",
	}}
}

func osdUser(id int, secret string) ceph.AuthUser {
	return ceph.AuthUser{Entity: osdName(id), Secret: secret, Caps: map[string]string{
		"mon": "allow profile osd", "mgr": "allow profile osd", "osd": "allow *",
	}}
}

// User returns a cephx identity and whether it exists.
func (c *Cluster) User(entity string) (ceph.AuthUser, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user, found := c.users[entity]
	return user, found
}

// AddUser makes or replaces a cephx identity.
func (c *Cluster) AddUser(user ceph.AuthUser) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users[user.Entity] = user
}

func authCommands() map[string]command {
	return map[string]command{
		"auth get":           read("entity:str", (*call).authGet),
		"auth get-or-create": answer("entity:str caps:list?", (*call).authGetOrCreate),
		"auth rotate":        answer("entity:str", (*call).authRotate),
		"auth caps":          write("entity:str caps:list", (*call).authCaps),
		"auth rm":            write("entity:str", (*call).authRemove),
		"auth ls":            read("", (*call).authList),
		"auth import":        write("", (*call).authImport),
	}
}

func (c *call) authGet() (any, error) {
	user, found := c.users[c.str("entity")]
	if !found {
		return nil, refuse(errNoEntry, "failed to find %s in keyring", c.str("entity"))
	}
	return []ceph.AuthUser{user}, nil
}

func (c *call) authGetOrCreate() (any, error) {
	entity := c.str("entity")
	if !strings.Contains(entity, ".") {
		return nil, refuse(errInvalid, "bad entity name")
	}
	caps, err := capMap(c.list("caps"))
	if err != nil {
		return nil, err
	}
	user, found := c.users[entity]
	if found && c.has("caps") && !maps.Equal(user.Caps, caps) {
		return nil, refuse(errInvalid, "key for %s exists but caps do not match", entity)
	}
	if !found {
		user = ceph.AuthUser{Entity: entity, Secret: c.newSecret(entity), Caps: caps}
		c.users[entity] = user
	}
	return []ceph.AuthUser{user}, nil
}

// newSecret is a well-formed key that differs by entity and over time.
func (c *Cluster) newSecret(entity string) string {
	raw, _ := base64.StdEncoding.DecodeString(DefaultSecret)
	copy(raw[12:], fmt.Sprintf("%016x", len(c.log)*7919+len(entity)))
	for i := range entity {
		raw[12+i%16] ^= entity[i]
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func (c *call) authRotate() (any, error) {
	user, found := c.users[c.str("entity")]
	if !found {
		return nil, refuse(errNoEntry, "entity does not exist")
	}
	user.Secret = c.newSecret(user.Entity)
	c.users[user.Entity] = user
	return []ceph.AuthUser{user}, nil
}

func (c *call) authCaps() error {
	user, found := c.users[c.str("entity")]
	if !found {
		return refuse(errNoEntry, "couldn't find entry %s", c.str("entity"))
	}
	caps, err := capMap(c.list("caps"))
	if err != nil {
		return err
	}
	user.Caps = caps
	c.users[user.Entity] = user
	return nil
}

func (c *call) authRemove() error {
	delete(c.users, c.str("entity"))
	return nil
}

func (c *call) authList() (any, error) {
	users := []ceph.AuthUser{}
	for _, entity := range slices.Sorted(maps.Keys(c.users)) {
		users = append(users, c.users[entity])
	}
	return map[string]any{"auth_dump": users}, nil
}

func (c *call) authImport() error {
	keys, err := keyring.Parse(string(c.input))
	if err != nil || len(keys) == 0 {
		return refuse(errInvalid, "error decoding keyring")
	}
	caps := importedCaps(string(c.input))
	for _, key := range keys {
		c.users[key.Entity] = ceph.AuthUser{Entity: key.Entity, Secret: key.Secret, Caps: caps[key.Entity]}
	}
	return nil
}

// importedCaps reads the "caps <daemon> = <text>" lines of a keyring file.
func importedCaps(file string) map[string]map[string]string {
	all := map[string]map[string]string{}
	entity := ""
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			entity = strings.TrimSuffix(name, "]")
			all[entity] = map[string]string{}
			continue
		}
		if rest, ok := strings.CutPrefix(line, "caps "); ok && entity != "" {
			daemon, value, _ := strings.Cut(rest, "=")
			all[entity][strings.TrimSpace(daemon)] = strings.Trim(strings.TrimSpace(value), "\"")
		}
	}
	return all
}

func capMap(list []string) (map[string]string, error) {
	if len(list)%2 != 0 {
		return nil, refuse(errInvalid, "bad capabilities request; odd number of arguments")
	}
	caps := map[string]string{}
	for i := 0; i < len(list); i += 2 {
		if !slices.Contains([]string{"mon", "osd", "mds", "mgr"}, list[i]) {
			return nil, refuse(errInvalid, "unknown cap type '%s'", list[i])
		}
		caps[list[i]] = list[i+1]
	}
	return caps, nil
}
