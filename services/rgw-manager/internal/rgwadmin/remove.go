package rgwadmin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// remove takes away what the wish names, from the inside out. What is not there
// is removed already.
func (w *work) remove(ctx context.Context) error {
	found, err := w.findRealm(ctx)
	if err != nil || !found {
		return err
	}
	if known := w.want.Known.RealmID; known != "" && known != w.realm.ID {
		return refuse("RealmReplaced", "realm %s has the id %s in Ceph, but was %s: it is not the one to remove", w.realm.Name, w.realm.ID, known)
	}
	if err := w.readPeriod(ctx); err != nil {
		return err
	}
	type part struct {
		of []Removal
		do func(context.Context) error
	}
	for _, one := range []part{
		{[]Removal{RemoveZone, RemoveAll}, w.removeZone},
		{[]Removal{RemoveZoneGroup, RemoveAll}, w.removeZoneGroup},
		{[]Removal{RemoveRealm, RemoveAll}, w.removeRealm},
	} {
		if !slices.Contains(one.of, w.want.Remove) {
			continue
		}
		if err := one.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) removeZone(ctx context.Context) error {
	zone, err := w.readZone(ctx)
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	id, name := zone.text("id"), w.want.Zone.Name
	if known := w.want.Known.ZoneID; known != "" && known != id {
		return refuse("ZoneReplaced", "zone %s has the id %s in Ceph, but was %s: it is not the one to remove", name, id, known)
	}
	if realm := zone.text("realm_id"); realm != "" && realm != w.realm.ID {
		return nil // of another realm, so not ours
	}
	if err := w.refuseBuckets(ctx); err != nil {
		return err
	}
	if err := w.leaveZoneGroup(ctx, zone); err != nil {
		return err
	}
	if err := w.purge(ctx, zone); err != nil {
		return err
	}
	err = w.change(ctx, Command{Args: append([]string{"zone", "delete"}, w.at()...)})
	if err != nil && !notFound(err) {
		return err
	}
	// The command that deletes a zone opens it first, and makes empty logs in it.
	return w.purge(ctx, zone)
}

// ReasonBucketsExist is that of a Refusal to remove a store that holds buckets.
const ReasonBucketsExist = "BucketsExist"

// refuseBuckets is the last look at a store that goes as a whole, when no gateway runs
// any more: whatever they took in the end is known here.
func (w *work) refuseBuckets(ctx context.Context) error {
	if w.want.Remove != RemoveAll {
		return nil // buckets are the realm's, and other zones may have them
	}
	out, err := w.run.Run(ctx, Command{Args: append([]string{"metadata", "list", "bucket"}, w.at()...)})
	if err != nil {
		return err
	}
	buckets, err := decode[[]string](out)
	if err != nil {
		return err
	}
	if len(buckets) > 0 {
		return refuse(ReasonBucketsExist, "zone %s holds %s; delete them first", w.want.Zone.Name, problem.Names(buckets))
	}
	return nil
}

// purge removes what the zone wrote into namespaces of shared pools. Only
// namespaces that carry the zone's name are its own.
func (w *work) purge(ctx context.Context, zone document) error {
	if !w.want.Zone.Purge {
		return nil
	}
	var places []string
	add := func(value any) {
		text, _ := value.(string)
		if _, namespace, has := strings.Cut(text, ":"); has && strings.HasPrefix(namespace, w.want.Zone.Name+".") {
			places = append(places, text)
		}
	}
	for _, value := range zone {
		add(value)
	}
	for _, entry := range zone.children("placement_pools") {
		placement := entry.child("val")
		add(placement["index_pool"])
		add(placement["data_extra_pool"])
		for name := range placement.child("storage_classes") {
			add(placement.child("storage_classes").child(name)["data_pool"])
		}
	}
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		pool, namespace, _ := strings.Cut(place, ":")
		if err := w.empty(ctx, "--pool="+pool, "--namespace="+namespace); err != nil && !notFound(err) {
			return fmt.Errorf("empty namespace %s of pool %s: %w", namespace, pool, err)
		}
	}
	return nil
}

// empty removes the objects of one namespace. The purge command of rados is of no
// use: it empties all namespaces of a pool.
func (w *work) empty(ctx context.Context, place ...string) error {
	out, err := w.run.Run(ctx, Command{Tool: ToolRados, Args: append([]string{"ls", "--format=json"}, place...)})
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	objects, err := decode[[]struct {
		Name string `json:"name"`
	}](out)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(objects, objectsPerCall) {
		args := append([]string{"rm"}, place...)
		for _, object := range some {
			args = append(args, object.Name)
		}
		// A gateway may have collected one of them meanwhile.
		if err := w.change(ctx, Command{Tool: ToolRados, Args: args}); err != nil && !notFound(err) {
			return err
		}
	}
	return nil
}

// objectsPerCall keeps a command line short enough for the kernel.
const objectsPerCall = 200

// removeZoneGroup removes a zone group without zones. One that has zones in other
// clusters only is theirs; its copy here goes with the realm.
func (w *work) removeZoneGroup(ctx context.Context) error {
	group, err := w.readZoneGroup(ctx)
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	id, name := group.text("id"), w.want.ZoneGroup.Name
	if known := w.want.Known.ZoneGroupID; known != "" && known != id {
		return refuse("ZoneGroupReplaced", "zone group %s has the id %s in Ceph, but was %s: it is not the one to remove", name, id, known)
	}
	if realm := group.text("realm_id"); realm != "" && realm != w.realm.ID {
		return nil
	}
	zones, err := w.localOf(ctx, group)
	if err != nil {
		return err
	}
	if len(zones) > 0 {
		return refuse("ZoneGroupInUse", "zone group %s has zones: %s", name, strings.Join(zones, ", "))
	}
	if len(group.children("zones")) > 0 {
		return nil
	}
	err = w.change(ctx, Command{Args: []string{"zonegroup", "delete", "--rgw-realm=" + w.realm.Name, "--rgw-zonegroup=" + name}})
	if err != nil && !notFound(err) {
		return err
	}
	return w.forgetZoneGroup(ctx, id)
}

// forgetZoneGroup tells the other zones of a realm that a zone group is gone, if
// its master zone is here.
func (w *work) forgetZoneGroup(ctx context.Context, id string) error {
	local, err := w.localZones(ctx)
	if err != nil || local[w.period.MasterZone] == "" {
		return err
	}
	listed := slices.ContainsFunc(w.period.Map.ZoneGroups, func(g zoneGroupInfo) bool { return g.ID == id })
	at := w.masterZoneGroup()
	if !listed || at == "" || w.period.MasterZoneGroup == id {
		return nil
	}
	return w.commitAsMaster(ctx, local[w.period.MasterZone], at)
}

// localOf are the zones of a zone group whose pools are in this cluster.
func (w *work) localOf(ctx context.Context, group document) ([]string, error) {
	local, err := w.localZones(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, zone := range group.children("zones") {
		if name := local[zone.text("id")]; name != "" {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

// removeRealm removes the realm with its periods and with its copies of zone
// groups of other clusters.
func (w *work) removeRealm(ctx context.Context) error {
	groups, err := w.zoneGroups(ctx)
	if err != nil {
		return err
	}
	for _, group := range groups {
		zones, err := w.localOf(ctx, group)
		switch {
		case err != nil:
			return err
		case len(zones) > 0:
			return refuse("RealmInUse", "realm %s has zones: %s", w.realm.Name, strings.Join(zones, ", "))
		case w.want.Realm.Pull == "":
			return refuse("RealmInUse", "realm %s has zone group %s", w.realm.Name, group.text("name"))
		}
	}
	for _, group := range groups {
		err := w.change(ctx, Command{Args: []string{"zonegroup", "delete", "--rgw-realm=" + w.realm.Name, "--rgw-zonegroup=" + group.text("name")}})
		if err != nil && !notFound(err) {
			return err
		}
	}
	if err := w.removePeriods(ctx); err != nil {
		return err
	}
	err = w.change(ctx, Command{Args: []string{"realm", "rm", "--rgw-realm=" + w.realm.Name}})
	if notFound(err) {
		return nil
	}
	return err
}

// zoneGroups are those of the realm.
func (w *work) zoneGroups(ctx context.Context) ([]document, error) {
	out, err := w.read(ctx, "zonegroup list", "--rgw-realm="+w.realm.Name)
	if err != nil {
		return nil, err
	}
	all, err := decode[names](out)
	if err != nil {
		return nil, err
	}
	var found []document
	for _, name := range slices.Sorted(slices.Values(all.ZoneGroups)) {
		out, err := w.read(ctx, "zonegroup get", "--rgw-realm="+w.realm.Name, "--rgw-zonegroup="+name)
		if notFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		group, err := decodeDocument(out)
		if err != nil {
			return nil, err
		}
		if group.text("realm_id") == w.realm.ID {
			found = append(found, group)
		}
	}
	return found, nil
}

// removePeriods removes the periods of the realm, which nobody else does.
func (w *work) removePeriods(ctx context.Context) error {
	out, err := w.read(ctx, "period list")
	if err != nil {
		return err
	}
	all, err := decode[names](out)
	if err != nil {
		return err
	}
	slices.Sort(all.Periods)
	for _, id := range all.Periods {
		out, err := w.read(ctx, "period get", "--rgw-realm="+w.realm.Name, "--period="+id)
		if notFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		period, err := decode[periodInfo](out)
		if err != nil {
			return err
		}
		if period.RealmID != w.realm.ID {
			continue
		}
		if err := w.change(ctx, Command{Args: []string{"period", "delete", "--period=" + id}}); err != nil && !notFound(err) {
			return err
		}
	}
	return nil
}
