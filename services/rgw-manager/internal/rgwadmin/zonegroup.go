package rgwadmin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

func (w *work) readZoneGroup(ctx context.Context) (document, error) {
	out, err := w.read(ctx, "zonegroup get", "--rgw-realm="+w.want.Realm.Name, "--rgw-zonegroup="+w.want.ZoneGroup.Name)
	if err != nil {
		return nil, err
	}
	return decodeDocument(out)
}

// keepZoneGroup finds or makes the zone group. The first of a realm is its
// master.
func (w *work) keepZoneGroup(ctx context.Context) (document, error) {
	want := w.want.ZoneGroup
	group, err := w.readZoneGroup(ctx)
	switch {
	case notFound(err) && want.Required:
		return nil, fmt.Errorf("find zone group %s: %w", want.Name, err)
	case notFound(err):
		args := []string{"zonegroup", "create", "--rgw-realm=" + w.want.Realm.Name, "--rgw-zonegroup=" + want.Name}
		if w.period.MasterZoneGroup == "" {
			args = append(args, "--master")
		}
		if err := w.change(ctx, Command{Args: args}); err != nil {
			return nil, err
		}
		if group, err = w.readZoneGroup(ctx); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	id, realm, known := group.text("id"), group.text("realm_id"), w.want.Known.ZoneGroupID
	switch {
	case realm != "" && realm != w.realm.ID:
		return nil, refuse("ZoneGroupOfOtherRealm", "zone group %s belongs to another realm in Ceph; choose another name", want.Name)
	case known != "" && known != id:
		return nil, refuse("ZoneGroupReplaced", "zone group %s has the id %s in Ceph, but was %s: somebody replaced it", want.Name, id, known)
	}
	w.result.Known.ZoneGroupID = id
	return group, nil
}

// tuneZoneGroup makes what the zone group says of our zone, and of gateways, as
// wanted, and returns it.
func (w *work) tuneZoneGroup(ctx context.Context) (document, error) {
	group, err := w.readZoneGroup(ctx)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(group)
	if err != nil {
		return nil, fmt.Errorf("encode zone group: %w", err)
	}
	w.tuneEndpoints(group)
	if want := w.want.ZoneGroup.Hostnames; want != nil && !slices.Equal(group.texts("hostnames"), want) {
		group["hostnames"] = list(want)
	}
	w.tuneTargets(group)
	after, err := json.Marshal(group)
	if err != nil {
		return nil, fmt.Errorf("encode zone group: %w", err)
	}
	if string(before) == string(after) {
		return group, nil
	}
	return group, w.change(ctx, Command{Args: append([]string{"zonegroup", "set"}, w.at()...), Input: after})
}

// succeeds tells whether our zone, alone in the master zone group of a realm that was
// made here, takes the place of a master zone that was deleted.
func (w *work) succeeds(group document) bool {
	zones := group.children("zones")
	return w.want.Realm.Pull == "" && w.period.MasterZone != "" && w.period.MasterZone != w.result.Known.ZoneID &&
		w.period.MasterZoneGroup == w.result.Known.ZoneGroupID && group.text("master_zone") == w.result.Known.ZoneID &&
		len(zones) == 1 && zones[0].text("id") == w.result.Known.ZoneID
}

// tuneEndpoints gives our zone its endpoints. Those of the zone group are those
// of its master zone.
func (w *work) tuneEndpoints(group document) {
	want := w.want.Zone.Endpoints
	if want == nil {
		return
	}
	for _, zone := range group.children("zones") {
		if zone.text("id") == w.result.Known.ZoneID && !slices.Equal(zone.texts("endpoints"), want) {
			zone["endpoints"] = list(want)
		}
	}
	if group.text("master_zone") == w.result.Known.ZoneID && !slices.Equal(group.texts("endpoints"), want) {
		group["endpoints"] = list(want)
	}
}

// tuneTargets adds the placements to those that buckets of the zone group may
// choose. It removes none: buckets may be in it.
func (w *work) tuneTargets(group document) {
	targets := group.children("placement_targets")
	for _, placement := range w.want.Zone.Placements {
		at := slices.IndexFunc(targets, func(t document) bool { return t.text("name") == placement.Name })
		if at < 0 {
			targets = append(targets, document{"name": placement.Name, "tags": []any{}, "storage_classes": []any{}})
			at = len(targets) - 1
		}
		classes := targets[at].texts("storage_classes")
		for _, class := range append([]string{standard}, slices.Sorted(maps.Keys(placement.Classes))...) {
			if !slices.Contains(classes, class) {
				classes = append(classes, class)
			}
		}
		if len(placement.Classes) > 0 { // STANDARD alone needs no mention
			targets[at]["storage_classes"] = list(classes)
		}
	}
	if len(targets) != len(group.children("placement_targets")) {
		group["placement_targets"] = plain(targets)
	}
	if want := w.want.Zone.DefaultPlacement; want != "" {
		group["default_placement"] = want
	}
}

// commit makes a new period when it would say something else than the present
// one. Who follows a master zone has to have all of its metadata, unless there is none
// any more.
func (w *work) commit(ctx context.Context, succeeds bool) error {
	now, err := w.read(ctx, "period get", "--rgw-realm="+w.want.Realm.Name)
	if err != nil && !notFound(err) {
		return err
	}
	next, err := w.run.Run(ctx, Command{Args: append([]string{"period", "update"}, w.at()...)})
	if err != nil {
		return fmt.Errorf("prepare period: %w", err)
	}
	same, err := samePeriod(now, next)
	if err != nil || same {
		return err
	}
	args := append([]string{"period", "update", "--commit"}, w.at()...)
	if succeeds {
		args = append(args, "--yes-i-really-mean-it")
	}
	// Of a zone that is not the master, radosgw-admin asks the master, with the keys
	// of the zone.
	if err := w.change(ctx, Command{Args: args}); err != nil {
		return err
	}
	return w.readPeriod(ctx)
}

// samePeriod compares what two periods say, whatever their numbers.
func samePeriod(a, b []byte) (bool, error) {
	if len(a) == 0 {
		return false, nil
	}
	left, err := decodeDocument(a)
	if err != nil {
		return false, err
	}
	right, err := decodeDocument(b)
	if err != nil {
		return false, err
	}
	for _, key := range []string{"master_zonegroup", "master_zone", "period_config"} {
		if !reflect.DeepEqual(left[key], right[key]) {
			return false, nil
		}
	}
	for _, key := range []string{"zonegroups", "short_zone_ids"} {
		if !reflect.DeepEqual(left.child("period_map")[key], right.child("period_map")[key]) {
			return false, nil
		}
	}
	return true, nil
}
