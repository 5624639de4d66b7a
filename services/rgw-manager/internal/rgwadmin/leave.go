package rgwadmin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// periodPath is where a gateway tells and takes periods.
const periodPath = "/admin/realm/period"

// otherZones are the names of the zones of the realm besides one, in this cluster
// and elsewhere.
func (w *work) otherZones(ctx context.Context, id string) ([]string, error) {
	found := map[string]string{}
	for _, group := range w.period.Map.ZoneGroups {
		for _, zone := range group.Zones {
			found[zone.ID] = zone.Name
		}
	}
	group, err := w.readZoneGroup(ctx)
	if err != nil && !notFound(err) {
		return nil, err
	}
	for _, zone := range group.children("zones") {
		found[zone.text("id")] = zone.text("name")
	}
	delete(found, id)
	return slices.Sorted(maps.Values(found)), nil
}

// leaveZoneGroup tells the other zones, if there are any, that ours is going. They
// follow a master zone, so that one has to stay.
func (w *work) leaveZoneGroup(ctx context.Context, zone document) error {
	id := zone.text("id")
	others, err := w.otherZones(ctx, id)
	if err != nil || len(others) == 0 {
		return err
	}
	group, err := w.readZoneGroup(ctx)
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	zones := group.children("zones")
	if w.period.MasterZone == id || group.text("master_zone") == id && len(zones) > 1 {
		return refuse("MasterZone", "zone %s is the master of the zones %s; make one of them the master, or remove them first", w.want.Zone.Name, strings.Join(others, ", "))
	}
	local, err := w.localZones(ctx)
	if err != nil {
		return err
	}
	listed := slices.ContainsFunc(zones, func(z document) bool { return z.text("id") == id })
	return w.leave(ctx, zone, local[w.period.MasterZone], listed)
}

// leave takes the zone out of the realm: where its master zone is, and here.
func (w *work) leave(ctx context.Context, zone document, localMaster string, listed bool) error {
	told := w.inPeriod(zone.text("id"))
	if told && localMaster == "" {
		if err := w.askToForget(ctx, zone); err != nil {
			return err
		}
	}
	if listed {
		if err := w.change(ctx, Command{Args: append([]string{"zonegroup", "remove"}, w.at()...)}); err != nil {
			return err
		}
	}
	if !told || localMaster == "" {
		return nil
	}
	return w.commitAsMaster(ctx, localMaster, w.masterZoneGroup())
}

func (w *work) inPeriod(zone string) bool {
	for _, group := range w.period.Map.ZoneGroups {
		for _, one := range group.Zones {
			if one.ID == zone {
				return true
			}
		}
	}
	return false
}

// masterZoneGroup is the name of the realm's.
func (w *work) masterZoneGroup() string {
	for _, group := range w.period.Map.ZoneGroups {
		if group.ID == w.period.MasterZoneGroup {
			return group.Name
		}
	}
	return ""
}

// commitAsMaster makes a period of what is here, where the master zone is.
func (w *work) commitAsMaster(ctx context.Context, zone, group string) error {
	return w.change(ctx, Command{Args: []string{"period", "update", "--commit", "--rgw-realm=" + w.realm.Name, "--rgw-zonegroup=" + group, "--rgw-zone=" + zone}})
}

var errNoEndpoint = errors.New("the realm knows no endpoint of it")

// askToForget has the master zone, which is in another cluster, make a period without
// our zone. radosgw-admin does not: a zone that is out of its zone group is none that
// it can speak for.
func (w *work) askToForget(ctx context.Context, zone document) error {
	failed := errNoEndpoint
	for _, endpoint := range w.masterEndpoints() {
		if failed = w.askToForgetAt(ctx, strings.TrimSuffix(endpoint, "/"), zone); failed == nil {
			return nil
		}
	}
	return fmt.Errorf("tell the master zone: %w", failed)
}

func (w *work) masterEndpoints() []string {
	for _, group := range w.period.Map.ZoneGroups {
		for _, zone := range group.Zones {
			if zone.ID == w.period.MasterZone {
				return zone.Endpoints
			}
		}
	}
	return nil
}

func (w *work) askToForgetAt(ctx context.Context, endpoint string, zone document) error {
	keys := zone.child("system_key")
	ask := func(method string, body []byte) (document, error) {
		reply, err := w.run.Run(ctx, Command{Tool: ToolGateway, Args: []string{method, endpoint + periodPath}, Input: body,
			AccessKey: keys.text("access_key"), SecretKey: keys.text("secret_key")})
		if err != nil {
			return nil, err
		}
		return decodeDocument(reply)
	}
	now, err := ask(http.MethodGet, nil)
	if err != nil {
		return err
	}
	next, listed := without(now, zone.text("id"))
	if !listed {
		return nil
	}
	body, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encode period: %w", err)
	}
	if _, err := ask(http.MethodPost, body); err != nil {
		return err
	}
	w.result.Changed = true
	return nil
}

// without is a period to commit that follows another and lacks a zone, and whether the
// other had it.
func without(now document, zone string) (document, bool) {
	next, listed := maps.Clone(now), false
	period := maps.Clone(now.child("period_map"))
	var groups []any
	for _, group := range now.child("period_map").children("zonegroups") {
		group = maps.Clone(group)
		stay := slices.DeleteFunc(group.children("zones"), func(z document) bool { return z.text("id") == zone })
		listed = listed || len(stay) < len(group.children("zones"))
		group["zones"] = plain(stay)
		if group.text("master_zone") == zone {
			group["master_zone"] = ""
		}
		groups = append(groups, map[string]any(group))
	}
	period["zonegroups"] = groups
	period["short_zone_ids"] = plain(slices.DeleteFunc(now.child("period_map").children("short_zone_ids"), func(z document) bool { return z.text("key") == zone }))
	next["period_map"] = map[string]any(period)
	// A period without an id is one to commit; it has to follow the present one.
	next["id"], next["predecessor_uuid"] = "", now.text("id")
	if epoch, is := now["realm_epoch"].(json.Number); is {
		if number, err := epoch.Int64(); err == nil {
			next["realm_epoch"] = json.Number(strconv.FormatInt(number+1, 10))
		}
	}
	return next, listed
}

// plain makes a list that encodes as one, even if empty.
func plain(list []document) []any {
	made := make([]any, len(list))
	for i, one := range list {
		made[i] = map[string]any(one)
	}
	return made
}
