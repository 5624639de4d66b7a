package rgwadmin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Apply makes what is wanted so, and returns what is there now. On an error the
// Result says how far it came; a Refusal is an error that no repetition mends.
func Apply(ctx context.Context, runner Runner, keys Keys, wanted Wanted) (Result, error) {
	w := &work{run: runner, keys: keys, want: wanted, result: Result{Hash: wanted.Hash()}}
	err := wanted.check()
	switch {
	case err != nil:
	case wanted.Remove != Keep:
		err = w.remove(ctx)
	default:
		err = w.keep(ctx)
	}
	return w.result, err
}

// work is one call of Apply.
type work struct {
	run    Runner
	keys   Keys
	want   Wanted
	result Result

	realm  realmInfo
	period periodInfo
}

// check refuses wishes that make no sense, so that no half of them is made.
func (w Wanted) check() error {
	switch {
	case w.Realm.Name == "":
		return refuse("InvalidSpec", "a realm must have a name")
	case w.Realm.Pull != "" && w.Realm.PullKeys == nil && w.Remove == Keep:
		return refuse("InvalidSpec", "realm %s cannot be pulled without keys", w.Realm.Name)
	case w.ZoneGroup != nil && w.ZoneGroup.Name == "":
		return refuse("InvalidSpec", "a zone group must have a name")
	case w.Zone != nil && (w.ZoneGroup == nil || w.Zone.Name == ""):
		return refuse("InvalidSpec", "a zone must have a name and a zone group")
	case w.Zone == nil && len(w.Users) > 0:
		return refuse("InvalidSpec", "users need a zone")
	}
	return w.checkRemoval()
}

// checkRemoval refuses to remove what is not named.
func (w Wanted) checkRemoval() error {
	zone, group := w.Remove == RemoveZone || w.Remove == RemoveAll, w.Remove == RemoveZoneGroup
	if zone && w.Zone == nil || group && w.ZoneGroup == nil {
		return refuse("InvalidSpec", "what is removed must be named")
	}
	return nil
}

func (w *work) keep(ctx context.Context) error {
	if err := w.keepRealm(ctx); err != nil || w.want.ZoneGroup == nil {
		return err
	}
	group, err := w.keepZoneGroup(ctx)
	if err != nil || w.want.Zone == nil {
		return err
	}
	zone, err := w.keepZone(ctx, group)
	if err != nil {
		return err
	}
	if err := w.keepPools(ctx, zone); err != nil {
		return err
	}
	if group, err = w.tuneZoneGroup(ctx); err != nil {
		return err
	}
	// A user of a zone that is no master yet is one of its realm's beginning.
	if err := w.commit(ctx, w.succeeds(group)); err != nil {
		return err
	}
	w.result.Master = w.period.MasterZone == w.result.Known.ZoneID
	if !w.result.Master {
		return nil
	}
	for _, user := range w.want.Users {
		if err := w.keepUser(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

// at are the options that name realm, zone group and zone, as far as wanted.
func (w *work) at() []string {
	options := []string{"--rgw-realm=" + w.want.Realm.Name}
	if w.want.ZoneGroup != nil {
		options = append(options, "--rgw-zonegroup="+w.want.ZoneGroup.Name)
	}
	if w.want.Zone != nil {
		options = append(options, "--rgw-zone="+w.want.Zone.Name)
	}
	return options
}

// read asks for something and changes nothing.
func (w *work) read(ctx context.Context, words string, options ...string) ([]byte, error) {
	out, err := w.run.Run(ctx, Command{Args: append(strings.Fields(words), options...)})
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return out, nil
}

// change runs a command that changes something.
func (w *work) change(ctx context.Context, command Command) error {
	if _, err := w.run.Run(ctx, command); err != nil {
		return fmt.Errorf("change: %w", err)
	}
	w.result.Changed = true
	return nil
}

// withKeys adds keys to a command.
func (w *work) withKeys(command Command, ref *KeyRef) (Command, error) {
	if ref == nil {
		return command, nil
	}
	access, secret, err := w.keys(*ref)
	if err != nil {
		return command, fmt.Errorf("read keys of Secret %s: %w", ref.Secret, err)
	}
	for _, key := range []string{access, secret} {
		if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return command, refuse("InvalidKeys", "the keys %s and %s of Secret %s must be printable, without spaces, and not empty",
				ref.AccessKey, ref.SecretKey, ref.Secret)
		}
	}
	command.AccessKey, command.SecretKey = access, secret
	return command, nil
}

var errNoID = errors.New("reply without an id")

// keepRealm finds, pulls or makes the realm.
func (w *work) keepRealm(ctx context.Context) error {
	want := w.want.Realm
	found, err := w.findRealm(ctx)
	if err != nil {
		return err
	}
	if found {
		if err := w.acceptRealm(ctx); err != nil {
			return err
		}
	} else if err := w.makeRealm(ctx); err != nil {
		return err
	}
	w.result.Known.RealmID = w.realm.ID
	if want.Default {
		if err := w.defaultRealm(ctx); err != nil {
			return err
		}
	}
	return w.readPeriod(ctx)
}

func (w *work) findRealm(ctx context.Context) (bool, error) {
	out, err := w.read(ctx, "realm get", "--rgw-realm="+w.want.Realm.Name)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if w.realm, err = decode[realmInfo](out); err != nil {
		return false, err
	}
	if w.realm.ID == "" {
		return false, fmt.Errorf("realm %s: %w", w.want.Realm.Name, errNoID)
	}
	return true, nil
}

// acceptRealm refuses a realm that has the name but is another one.
func (w *work) acceptRealm(ctx context.Context) error {
	known := w.want.Known.RealmID
	if known != "" && known != w.realm.ID {
		return refuse("RealmReplaced", "realm %s has the id %s in Ceph, but was %s: somebody replaced it; remove the one that is not needed by hand",
			w.realm.Name, w.realm.ID, known)
	}
	if w.want.Realm.Pull == "" || known != "" {
		return nil
	}
	// We pulled it and were cut off, or it was here before. One that was pulled has
	// its master zone elsewhere.
	if err := w.readPeriod(ctx); err != nil {
		return err
	}
	ours, err := w.localZones(ctx)
	if err != nil {
		return err
	}
	if w.period.MasterZone == "" || ours[w.period.MasterZone] != "" {
		return refuse("RealmExists", "a realm %s that was not taken over from another cluster exists in Ceph; choose another name, or remove it by hand if nobody needs it",
			w.realm.Name)
	}
	return nil
}

func (w *work) makeRealm(ctx context.Context) error {
	want := w.want.Realm
	if want.Required {
		return fmt.Errorf("find realm %s: %w", want.Name, &Error{Verb: "realm get", Code: 2, Message: "it is not there yet"})
	}
	command := Command{Args: []string{"realm", "create", "--rgw-realm=" + want.Name}}
	if want.Pull != "" {
		var err error
		command, err = w.withKeys(Command{Args: []string{"realm", "pull", "--url=" + want.Pull, "--rgw-realm=" + want.Name}}, want.PullKeys)
		if err != nil {
			return err
		}
	}
	if err := w.change(ctx, command); err != nil {
		return err
	}
	found, err := w.findRealm(ctx)
	if err == nil && !found {
		err = fmt.Errorf("realm %s: %w", want.Name, errNoID)
	}
	return err
}

func (w *work) defaultRealm(ctx context.Context) error {
	out, err := w.read(ctx, "realm list")
	if err != nil {
		return err
	}
	is, err := decode[names](out)
	if err != nil || is.Default == w.realm.ID {
		return err
	}
	return w.change(ctx, Command{Args: []string{"realm", "default", "--rgw-realm=" + w.realm.Name}})
}

// readPeriod reads the period that the realm is in; none is no error.
func (w *work) readPeriod(ctx context.Context) error {
	out, err := w.read(ctx, "period get", "--rgw-realm="+w.want.Realm.Name)
	if notFound(err) {
		w.period = periodInfo{}
		return nil
	}
	if err != nil {
		return err
	}
	w.period, err = decode[periodInfo](out)
	return err
}

// localZones are the names by id of the zones whose pools are in this cluster.
func (w *work) localZones(ctx context.Context) (map[string]string, error) {
	out, err := w.read(ctx, "zone list")
	if err != nil {
		return nil, err
	}
	all, err := decode[names](out)
	if err != nil {
		return nil, err
	}
	slices.Sort(all.Zones)
	found := map[string]string{}
	for _, name := range all.Zones {
		out, err := w.read(ctx, "zone get", "--rgw-zone="+name)
		if notFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		zone, err := decodeDocument(out)
		if err != nil {
			return nil, err
		}
		found[zone.text("id")] = name
	}
	return found, nil
}
