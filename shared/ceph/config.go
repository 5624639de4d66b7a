package ceph

import (
	"context"
	"strings"
)

// ConfigOption is one entry of the mons' configuration database.
type ConfigOption struct {
	Section            string `json:"section"`
	Name               string `json:"name"`
	Value              string `json:"value"`
	Mask               string `json:"mask"`
	Level              string `json:"level"`
	CanUpdateAtRuntime bool   `json:"can_update_at_runtime"`
}

// OptionName spells an option as Ceph stores it: words joined by underscores. Names
// of modules' options are paths, and stay.
func OptionName(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return strings.NewReplacer(" ", "_", "-", "_").Replace(name)
}

// ConfigSet stores an option for who ("global", "mon", "osd.3", "osd/class:ssd").
func (c Client) ConfigSet(ctx context.Context, who, name, value string) error {
	return do(ctx, c.Mon, "config set", arguments{"who": who, "name": name, "value": value})
}

// ConfigSetForced stores an option that the mons do not know, such as one of
// a module that is not loaded yet.
func (c Client) ConfigSetForced(ctx context.Context, who, name, value string) error {
	return do(ctx, c.Mon, "config set", arguments{"who": who, "name": name, "value": value, "force": true})
}

// ConfigRemove deletes a stored option. Deleting an unset one succeeds.
func (c Client) ConfigRemove(ctx context.Context, who, name string) error {
	return do(ctx, c.Mon, "config rm", arguments{"who": who, "name": name})
}

// ConfigGet reads the value that who would use, stored or default.
func (c Client) ConfigGet(ctx context.Context, who, name string) (string, error) {
	reply, err := raw(ctx, c.Mon, Command{Prefix: "config get", Args: arguments{"who": who, "key": name}})
	if err != nil {
		return "", err
	}
	return plainText(reply.Body), nil
}

// ConfigDump reads every stored option.
func (c Client) ConfigDump(ctx context.Context) ([]ConfigOption, error) {
	return ask[[]ConfigOption](ctx, c.Mon, "config dump", nil)
}

// ConfigAssimilate stores the options of a ceph.conf text and returns the
// part that Ceph could not store.
func (c Client) ConfigAssimilate(ctx context.Context, conf []byte) ([]byte, error) {
	reply, err := raw(ctx, c.Mon, Command{Prefix: "config assimilate-conf", Input: conf})
	return reply.Body, err
}

// ConfigKeyGet reads a value of the mons' key-value store, or ErrNotFound.
func (c Client) ConfigKeyGet(ctx context.Context, key string) ([]byte, error) {
	reply, err := raw(ctx, c.Mon, Command{Prefix: "config-key get", Args: arguments{"key": key}})
	return reply.Body, err
}

// ConfigKeySet stores a value. It travels as input, so that secrets do not
// show in the mons' audit log.
func (c Client) ConfigKeySet(ctx context.Context, key string, value []byte) error {
	_, err := raw(ctx, c.Mon, Command{Prefix: "config-key set", Args: arguments{"key": key}, Input: value})
	return err
}

// ConfigKeyExists tells whether the key has a value.
func (c Client) ConfigKeyExists(ctx context.Context, key string) (bool, error) {
	return found(do(ctx, c.Mon, "config-key exists", arguments{"key": key}))
}

// ConfigKeyRemove deletes a value. Deleting an unknown key succeeds.
func (c Client) ConfigKeyRemove(ctx context.Context, key string) error {
	return do(ctx, c.Mon, "config-key rm", arguments{"key": key})
}

// ConfigKeyList reads the names of all keys.
func (c Client) ConfigKeyList(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, c.Mon, "config-key ls", nil)
}
