package rgwadmin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// standard is the storage class that every placement has.
const standard = "STANDARD"

func (w *work) readZone(ctx context.Context) (document, error) {
	out, err := w.read(ctx, "zone get", w.at()...)
	if err != nil {
		return nil, err
	}
	return decodeDocument(out)
}

// keepZone finds or makes the zone. The first of a zone group is its master.
func (w *work) keepZone(ctx context.Context, group document) (document, error) {
	want := w.want.Zone
	zone, err := w.readZone(ctx)
	if notFound(err) && want.Required {
		return nil, fmt.Errorf("find zone %s: %w", want.Name, err)
	}
	if notFound(err) {
		if err := w.makeZone(ctx, group); err != nil {
			return nil, err
		}
		zone, err = w.readZone(ctx)
	}
	if err != nil {
		return nil, err
	}
	id, realm, known := zone.text("id"), zone.text("realm_id"), w.want.Known.ZoneID
	switch {
	case id == "":
		return nil, fmt.Errorf("zone %s: %w", want.Name, errNoID)
	case realm != "" && realm != w.realm.ID:
		return nil, refuse("ZoneOfOtherRealm", "zone %s belongs to another realm in Ceph; choose another name", want.Name)
	case known != "" && known != id:
		return nil, refuse("ZoneReplaced", "zone %s has the id %s in Ceph, but was %s: somebody replaced it", want.Name, id, known)
	}
	w.result.Known.ZoneID = id
	return zone, nil
}

func (w *work) makeZone(ctx context.Context, group document) error {
	want := w.want.Zone
	for _, zone := range group.children("zones") {
		if zone.text("name") == want.Name {
			return refuse("ZoneElsewhere", "zone %s of zone group %s is in another cluster; choose another name", want.Name, w.want.ZoneGroup.Name)
		}
	}
	args := append([]string{"zone", "create"}, w.at()...)
	// A zone that was deleted may still be called the master.
	if group.text("master_zone") == "" || len(group.children("zones")) == 0 {
		args = append(args, "--master")
	}
	if len(want.Endpoints) > 0 {
		args = append(args, "--endpoints="+strings.Join(want.Endpoints, ","))
	}
	command, err := w.withKeys(Command{Args: args}, want.SystemKeys)
	if err != nil {
		return err
	}
	return w.change(ctx, command)
}

// keepPools makes the zone's keys, pools and placements as wanted.
func (w *work) keepPools(ctx context.Context, zone document) error {
	before, err := json.Marshal(zone)
	if err != nil {
		return fmt.Errorf("encode zone: %w", err)
	}
	if err := w.tuneKeys(zone); err != nil {
		return err
	}
	if err := w.tuneMetadata(zone); err != nil {
		return err
	}
	if err := w.tunePlacements(zone); err != nil {
		return err
	}
	after, err := json.Marshal(zone)
	if err != nil {
		return fmt.Errorf("encode zone: %w", err)
	}
	if string(before) == string(after) {
		return nil
	}
	return w.change(ctx, Command{Args: append([]string{"zone", "set"}, w.at()...), Input: after})
}

func (w *work) tuneKeys(zone document) error {
	ref := w.want.Zone.SystemKeys
	if ref == nil {
		return nil
	}
	keys, err := w.withKeys(Command{}, ref)
	if err != nil {
		return err
	}
	if now := zone.child("system_key"); now.text("access_key") != keys.AccessKey || now.text("secret_key") != keys.SecretKey {
		zone["system_key"] = map[string]any{"access_key": keys.AccessKey, "secret_key": keys.SecretKey}
	}
	return nil
}

// tuneMetadata puts what is not a bucket into namespaces of a shared pool. What
// is in the wanted pool already keeps the namespace that it has, whoever named it.
func (w *work) tuneMetadata(zone document) error {
	pool := w.want.Zone.MetadataPool
	if pool == "" {
		return nil
	}
	own := w.want.Zone.Name + ".rgw."
	for _, key := range slices.Sorted(maps.Keys(zone)) {
		now, is := zone[key].(string)
		if !is || now == "" || !strings.HasSuffix(key, "_pool") && key != "domain_root" {
			continue
		}
		rest, fresh := strings.CutPrefix(now, own)
		switch has, _, _ := strings.Cut(now, ":"); {
		case has == pool:
		case fresh:
			zone[key] = pool + ":" + w.want.Zone.Name + "." + strings.ReplaceAll(rest, ":", ".")
		default:
			return moved(w.want.Zone.Name, key, now, pool)
		}
	}
	return nil
}

func moved(zone, what, from, to string) error {
	return refuse("PoolsMoved", "zone %s has its %s in pool %s, not in %s; what is there would be lost: put the former pool back", zone, what, from, to)
}

// tunePlacements adds placements and storage classes. What exists keeps its
// pools; a class or a placement is never removed: buckets may be in it.
func (w *work) tunePlacements(zone document) error {
	entries := zone.children("placement_pools")
	for _, want := range w.want.Zone.Placements {
		at := slices.IndexFunc(entries, func(e document) bool { return e.text("key") == want.Name })
		if at < 0 {
			entries = append(entries, document{"key": want.Name, "val": map[string]any(newPlacement(want))})
			continue
		}
		if err := w.tunePlacement(entries[at], want); err != nil {
			return err
		}
	}
	if len(entries) != len(zone.children("placement_pools")) {
		zone["placement_pools"] = plain(entries)
	}
	return nil
}

func newPlacement(want Placement) document {
	classes := map[string]any{standard: map[string]any{"data_pool": want.DataPool}}
	for name, pool := range want.Classes {
		classes[name] = map[string]any{"data_pool": pool}
	}
	return document{
		"index_pool": want.IndexPool, "data_extra_pool": want.ExtraPool, "index_type": 0, "inline_data": true, "storage_classes": classes,
	}
}

func (w *work) tunePlacement(entry document, want Placement) error {
	now := within(entry, "val")
	what := " of placement " + want.Name
	if err := w.setPool(now, "index_pool", want.IndexPool, what); err != nil {
		return err
	}
	if err := w.setPool(now, "data_extra_pool", want.ExtraPool, what); err != nil {
		return err
	}
	classes := within(now, "storage_classes")
	pools := map[string]string{standard: want.DataPool}
	maps.Copy(pools, want.Classes)
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		if err := w.setPool(within(classes, name), "data_pool", pools[name], " of class "+name+what); err != nil {
			return err
		}
	}
	return nil
}

// within is the object under a key, which is made if there is none.
func within(in document, key string) document {
	child := in.child(key)
	if child == nil {
		child = document{}
		in[key] = map[string]any(child)
	}
	return child
}

// setPool moves something from where Ceph puts it by itself to a wanted pool, and
// from nowhere else: there may be something in it.
func (w *work) setPool(in document, key, pool, what string) error {
	has := in.text(key)
	switch {
	case pool == "" || samePool(has, pool):
	case has == "" || strings.HasPrefix(has, w.want.Zone.Name+".rgw."):
		in[key] = pool
	default:
		return moved(w.want.Zone.Name, key+what, has, pool)
	}
	return nil
}

// samePool compares pools, whatever their namespaces.
func samePool(a, b string) bool {
	a, _, _ = strings.Cut(a, ":")
	b, _, _ = strings.Cut(b, ":")
	return a == b
}
