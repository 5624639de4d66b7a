package ceph

import (
	"context"
	"fmt"
	"sort"

	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// AuthUser is one cephx identity with its key and capabilities.
type AuthUser struct {
	Entity string            `json:"entity"`
	Secret string            `json:"key"`
	Caps   map[string]string `json:"caps"`
}

// Key returns the identity without its capabilities.
func (u AuthUser) Key() keyring.Key {
	return keyring.Key{Entity: u.Entity, Secret: u.Secret}
}

// String hides the key.
func (u AuthUser) String() string { return u.Entity }

// GoString hides the key.
func (u AuthUser) GoString() string { return u.Entity }

// AuthGet reads one identity, or ErrNotFound.
func (c Client) AuthGet(ctx context.Context, entity string) (AuthUser, error) {
	return c.authUser(ctx, "auth get", arguments{"entity": entity})
}

// AuthGetOrCreate makes an identity with these capabilities, or returns the
// existing one if its capabilities are the same. Other capabilities on an
// existing identity are ErrInvalid: use AuthCaps to change them.
func (c Client) AuthGetOrCreate(ctx context.Context, entity string, caps map[string]string) (AuthUser, error) {
	return c.authUser(ctx, "auth get-or-create", arguments{"entity": entity, "caps": capList(caps)})
}

// AuthRotate gives an identity a new key (Ceph 20 and later; ErrInvalid
// before). The old key stops working at once.
func (c Client) AuthRotate(ctx context.Context, entity string) (AuthUser, error) {
	return c.authUser(ctx, "auth rotate", arguments{"entity": entity})
}

func (c Client) authUser(ctx context.Context, prefix string, args arguments) (AuthUser, error) {
	users, err := ask[[]AuthUser](ctx, c.Mon, prefix, args)
	if err != nil {
		return AuthUser{}, err
	}
	if len(users) != 1 {
		return AuthUser{}, fmt.Errorf("decode reply of %q: want 1 identity, got %d", prefix, len(users))
	}
	return users[0], nil
}

// AuthCaps replaces all capabilities of an identity, or ErrNotFound.
func (c Client) AuthCaps(ctx context.Context, entity string, caps map[string]string) error {
	return do(ctx, c.Mon, "auth caps", arguments{"entity": entity, "caps": capList(caps)})
}

// AuthRemove deletes an identity. Deleting an unknown one succeeds.
func (c Client) AuthRemove(ctx context.Context, entity string) error {
	return do(ctx, c.Mon, "auth rm", arguments{"entity": entity})
}

// AuthList reads all identities.
func (c Client) AuthList(ctx context.Context) ([]AuthUser, error) {
	dump, err := ask[struct {
		Users []AuthUser `json:"auth_dump"`
	}](ctx, c.Mon, "auth ls", nil)
	return dump.Users, err
}

// AuthImport creates or overwrites the identities of a keyring file, with
// their keys and capabilities.
func (c Client) AuthImport(ctx context.Context, keyringFile []byte) error {
	_, err := raw(ctx, c.Mon, Command{Prefix: "auth import", Input: keyringFile})
	return err
}

// capList is the flat, sorted list that Ceph expects: mon, "allow r", osd, ...
func capList(caps map[string]string) []string {
	list := make([]string, 0, len(caps))
	for daemon := range caps {
		list = append(list, daemon)
	}
	sort.Strings(list)
	flat := make([]string, 0, 2*len(list))
	for _, daemon := range list {
		flat = append(flat, daemon, caps[daemon])
	}
	return flat
}
