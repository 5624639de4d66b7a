package sitetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
)

// object is a piece of JSON.
type object = map[string]any

const (
	notFound   = 2  // ENOENT
	exists     = 17 // EEXIST
	invalid    = 22 // EINVAL
	broken     = 5  // EIO
	denied     = 13 // EACCES
	notAllowed = 1
)

// Site is one cluster. It implements rgwadmin.Runner.
type Site struct {
	t testing.TB
	// URL is where a gateway of the site is reached.
	URL string

	mu      sync.Mutex
	made    int
	world   *sites
	realms  []object
	groups  []object
	zones   []object
	periods []object
	users   map[string]object
	standby string
	// objects are the names of those in "pool:namespace".
	objects map[string][]string
	buckets []string

	ran    []string
	wrote  int
	failAt int
	after  bool
	silent bool
}

// sites are those that reach each other.
type sites struct{ all []*Site }

// New makes a site without any realm.
func New(t testing.TB, url string) *Site {
	return (&sites{}).add(t, url)
}

// Beside makes another site that reaches this one and is reached by it.
func (s *Site) Beside(url string) *Site { return s.world.add(s.t, url) }

func (w *sites) add(t testing.TB, url string) *Site {
	made := &Site{t: t, URL: url, world: w, users: map[string]object{}, objects: map[string][]string{}}
	w.all = append(w.all, made)
	return made
}

// Ran are the verbs of the commands that changed something, and forgets them.
func (s *Site) Ran() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ran := s.ran
	s.ran = nil
	return ran
}

// FailAt lets a change fail, by its number from now; 0 for none. After lets it happen
// nevertheless.
func (s *Site) FailAt(number int, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote, s.failAt, s.after = 0, number, after
}

// Silence stops the gateways of the site.
func (s *Site) Silence(silent bool) { s.silent = silent }

// Put writes objects into a namespace of a pool.
func (s *Site) Put(pool, namespace string, names ...string) {
	s.objects[pool+":"+namespace] = append(s.objects[pool+":"+namespace], names...)
}

// Objects are those of a namespace of a pool.
func (s *Site) Objects(pool, namespace string) []string { return s.objects[pool+":"+namespace] }

// SetBuckets says which buckets the site has.
func (s *Site) SetBuckets(names ...string) { s.buckets = names }

// Names are those of all realms, zone groups, zones and users; for each period there is
// its realm.
func (s *Site) Names() []string {
	var all []string
	for kind, list := range map[string][]object{"realm": s.realms, "zone group": s.groups, "zone": s.zones} {
		for _, one := range list {
			all = append(all, kind+" "+text(one, "name"))
		}
	}
	for id := range s.users {
		all = append(all, "user "+id)
	}
	if len(s.periods) > 0 {
		all = append(all, "periods")
	}
	slices.Sort(all)
	return all
}

// ZoneGroup is a zone group as JSON; nil for none.
func (s *Site) ZoneGroup(name string) map[string]any { return find(s.groups, "name", name) }

// Zone is a zone as JSON; nil for none.
func (s *Site) Zone(name string) map[string]any { return find(s.zones, "name", name) }

// User is a user as JSON; nil for none.
func (s *Site) User(id string) map[string]any { return s.users[id] }

// Period is the present one of a realm as JSON; nil for none.
func (s *Site) Period(realm string) map[string]any {
	return s.current(find(s.realms, "name", realm))
}

// options are those of a command.
type options map[string]string

// parse splits words and options.
func parse(args []string) (string, options) {
	var words []string
	found := options{}
	for _, arg := range args {
		if name, is := strings.CutPrefix(arg, "--"); is {
			key, value, _ := strings.Cut(name, "=")
			found[key] = value
			continue
		}
		words = append(words, arg)
	}
	return strings.Join(words, " "), found
}

func (o options) has(name string) bool { _, has := o[name]; return has }

// call is one command on its way.
type call struct {
	*Site
	verb    string
	options options
	command rgwadmin.Command
}

// Run implements rgwadmin.Runner.
func (s *Site) Run(_ context.Context, command rgwadmin.Command) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	verb, given := parse(command.Args)
	if command.Tool != rgwadmin.ToolRadosgwAdmin {
		verb = string(command.Tool) + " " + strings.Fields(verb + " ")[0]
	}
	c := &call{Site: s, verb: verb, options: given, command: command}
	c.wantKeysHidden()
	do, reads := c.reader()
	if !reads {
		do = c.writer()
	}
	if do == nil {
		s.t.Errorf("%s is not known", strings.Join(command.Args, " "))
		return nil, c.fail(invalid, "not known")
	}
	if !reads {
		return c.change(do)
	}
	reply, err := do()
	if err != nil {
		return nil, err
	}
	return encode(reply), nil
}

// change does what changes something, or fails as it was told to.
func (c *call) change(do func() (any, error)) ([]byte, error) {
	c.wrote++
	crash := c.wrote == c.failAt
	if crash && !c.after {
		return nil, c.fail(broken, "crash")
	}
	reply, err := do()
	if err != nil {
		return nil, err
	}
	c.ran = append(c.ran, c.verb)
	if crash {
		return nil, c.fail(broken, "crash")
	}
	return encode(reply), nil
}

// wantKeysHidden fails the test when keys are in arguments, where all can read them.
func (c *call) wantKeysHidden() {
	for _, arg := range c.command.Args {
		for _, secret := range []string{c.command.AccessKey, c.command.SecretKey} {
			if secret != "" && strings.Contains(arg, secret) {
				c.t.Errorf("%s: a key is in an argument", c.verb)
			}
		}
	}
}

// reader is a command that changes nothing.
func (c *call) reader() (func() (any, error), bool) {
	do, is := map[string]func() (any, error){
		"realm get": c.realmGet, "realm list": c.realmList, "zonegroup get": c.groupGet, "zonegroup list": c.groupList,
		"zone get": c.zoneGet, "zone list": c.zoneList, "period get": c.periodGet, "period list": c.periodList,
		"user info": c.userInfo, "metadata list bucket": c.bucketList, "rados ls": c.radosList, "gateway GET": c.gateway,
	}[c.verb]
	if c.verb == "period update" && !c.options.has("commit") {
		return c.periodUpdate, true
	}
	return do, is
}

func (c *call) writer() func() (any, error) {
	return map[string]func() (any, error){
		"realm create": c.realmCreate, "realm pull": c.realmPull, "realm default": c.realmDefault, "realm rm": c.realmRemove,
		"zonegroup create": c.groupCreate, "zonegroup set": c.groupSet, "zonegroup delete": c.groupDelete, "zonegroup remove": c.groupRemove,
		"zone create": c.zoneCreate, "zone set": c.zoneSet, "zone delete": c.zoneDelete,
		"period update": c.periodUpdate, "period delete": c.periodDelete,
		"user create": c.userCreate, "user modify": c.userModify, "key create": c.keyCreate, "caps add": c.capsAdd,
		"rados rm": c.radosRemove, "gateway POST": c.gateway,
	}[c.verb]
}

func (c *call) fail(code int, message string) error {
	return &rgwadmin.Error{Verb: c.verb, Code: code, Message: message}
}

// id draws a new one.
func (s *Site) id(kind string) string {
	s.made++
	return fmt.Sprintf("%s-%s-%d", kind, strings.NewReplacer("http://", "", ":", "-").Replace(s.URL), s.made)
}

func text(of object, key string) string {
	value, _ := of[key].(string)
	return value
}

// list are the objects under a key.
func list(of object, key string) []object {
	items, _ := of[key].([]any)
	var found []object
	for _, item := range items {
		if one, is := item.(object); is {
			found = append(found, one)
		}
	}
	return found
}

func anys(items []object) []any {
	made := make([]any, len(items))
	for i := range items {
		made[i] = items[i]
	}
	return made
}

func find(in []object, key, value string) object {
	for _, one := range in {
		if text(one, key) == value {
			return one
		}
	}
	return nil
}

func without(in []object, key, value string) []object {
	return slices.DeleteFunc(slices.Clone(in), func(one object) bool { return text(one, key) == value })
}

func named(in []object) []any {
	made := []any{}
	for _, one := range in {
		made = append(made, text(one, "name"))
	}
	return made
}

func encode(value any) []byte {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return body
}

// copied is a deep copy.
func copied(of object) object {
	var made object
	if err := json.Unmarshal(encode(of), &made); err != nil {
		panic(err)
	}
	return made
}
