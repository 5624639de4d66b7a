package rgwtest

import (
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/ceph/go-ceph/rgw/admin"
)

// administer answers Admin Ops requests of those who may send them.
func (g *Gateway) administer(who *user, r *http.Request) reply {
	needs, kind := "write", strings.TrimPrefix(r.URL.Path, "/admin/")
	if r.Method == http.MethodGet {
		needs = "read"
	}
	answer := map[string]func(*http.Request) reply{"user": g.adminUser, "bucket": g.adminBucket}[kind]
	if answer == nil {
		return g.unknown(r)
	}
	if !who.may(kind+"s", needs) {
		return refuse(http.StatusForbidden, "AccessDenied")
	}
	return answer(r)
}

func (g *Gateway) adminUser(r *http.Request) reply { //nolint:gocyclo // a flat table of requests
	query := r.URL.Query()
	uid := query.Get("uid")
	if r.Method == http.MethodGet && uid == "" {
		found, _ := g.holder(query.Get("access-key"))
		if found == nil {
			return refuse(http.StatusBadRequest, "InvalidArgument")
		}
		return ok(found.report())
	}
	found := g.users[uid]
	if r.Method == http.MethodPut && !query.Has("key") && !query.Has("caps") && !query.Has("quota") {
		return g.createUser(found, r)
	}
	if found == nil {
		return refuse(http.StatusNotFound, "NoSuchUser")
	}
	switch {
	case query.Has("key"):
		return g.userKey(found, r)
	case query.Has("caps"):
		return g.userCaps(found, r)
	case query.Has("quota") && r.Method == http.MethodPut:
		return g.userQuota(found, r)
	case r.Method == http.MethodGet:
		return ok(found.report())
	case r.Method == http.MethodPost:
		return g.modifyUser(found, r)
	case r.Method == http.MethodDelete:
		for _, b := range g.buckets {
			if b.owner == uid {
				return refuse(http.StatusConflict, "BucketAlreadyExists")
			}
		}
		delete(g.users, uid)
		return done(http.StatusOK)
	}
	return g.unknown(r)
}

func (g *Gateway) createUser(found *user, r *http.Request) reply {
	query := r.URL.Query()
	if found != nil {
		return refuse(http.StatusConflict, "UserAlreadyExists")
	}
	access := query.Get("access-key")
	if holder, _ := g.holder(access); access != "" && holder != nil {
		return refuse(http.StatusConflict, "KeyExists")
	}
	made := newUser(query.Get("uid"), query.Get("display-name"))
	key := admin.UserKeySpec{AccessKey: access, SecretKey: query.Get("secret-key")}
	if access == "" {
		key = g.draw()
	}
	made.keys = []admin.UserKeySpec{key}
	if caps := query.Get("user-caps"); caps != "" && !g.changeCaps(made, caps, func(now, given int) int { return now | given }) {
		return refuse(http.StatusBadRequest, "InvalidCapability")
	}
	if refused := g.change(made, r); refused != nil {
		return *refused
	}
	g.users[made.uid] = made
	return ok(made.report())
}

func (g *Gateway) modifyUser(found *user, r *http.Request) reply {
	if refused := g.change(found, r); refused != nil {
		return *refused
	}
	return ok(found.report())
}

// classOption is what some releases do not know: they take the class of a user's objects
// from behind the slash of a placement.
const classOption = "default-storage-class"

// change takes over what a request says about a user.
func (g *Gateway) change(u *user, r *http.Request) *reply {
	query := r.URL.Query()
	if wanted := query.Get("default-placement"); wanted != "" {
		placement, class := wanted, query.Get(classOption)
		if slices.Contains(g.lacks, classOption) {
			placement, class, _ = strings.Cut(wanted, "/")
		}
		if classes, has := g.placements[placement]; !has || class != "" && !slices.Contains(classes, class) {
			answer := refuse(http.StatusBadRequest, "InvalidArgument")
			return &answer
		}
		u.placement, u.class = placement, class
	}
	if name := query.Get("display-name"); name != "" {
		u.name = name
	}
	if query.Has("max-buckets") {
		u.maxBuckets, _ = strconv.Atoi(query.Get("max-buckets"))
	}
	if mask := query.Get("op-mask"); mask != "" {
		u.mask = maskOf(mask)
	}
	return nil
}

func (g *Gateway) userKey(found *user, r *http.Request) reply {
	access := r.URL.Query().Get("access-key")
	holder, _ := g.holder(access)
	at := slices.IndexFunc(found.keys, func(k admin.UserKeySpec) bool { return k.AccessKey == access })
	switch {
	case r.Method == http.MethodDelete && at < 0:
		return refuse(http.StatusForbidden, "InvalidAccessKeyId")
	case r.Method == http.MethodDelete:
		found.keys = slices.Delete(found.keys, at, at+1)
		return done(http.StatusOK)
	case holder != nil && holder != found:
		return refuse(http.StatusConflict, "KeyExists")
	}
	key := admin.UserKeySpec{AccessKey: access, SecretKey: r.URL.Query().Get("secret-key")}
	if access == "" {
		key = g.draw()
	}
	if at >= 0 {
		found.keys[at] = key
	} else {
		found.keys = append(found.keys, key)
	}
	return ok(found.report().Keys)
}

func (g *Gateway) userCaps(found *user, r *http.Request) reply {
	change := func(now, given int) int { return now | given }
	if r.Method == http.MethodDelete {
		change = func(now, given int) int { return now &^ given }
	}
	if !g.changeCaps(found, r.URL.Query().Get("user-caps"), change) {
		return refuse(http.StatusBadRequest, "InvalidCapability")
	}
	return ok(found.report().Caps)
}

func (g *Gateway) userQuota(found *user, r *http.Request) reply {
	which := &found.quota
	if r.URL.Query().Get("quota-type") == "bucket" {
		which = &found.each
	}
	*which = which.asked(r)
	return done(http.StatusOK)
}

// asked is the limit that a request sets.
func (l limit) asked(r *http.Request) limit {
	query := r.URL.Query()
	if query.Has("enabled") {
		l.on = query.Get("enabled") == "true"
	}
	for name, value := range map[string]*int64{"max-size": &l.size, "max-objects": &l.objects} {
		if query.Has(name) {
			*value, _ = strconv.ParseInt(query.Get(name), 10, 64)
		}
	}
	return l
}

func (g *Gateway) adminBucket(r *http.Request) reply { //nolint:gocyclo // a flat table of requests
	query := r.URL.Query()
	name, uid := query.Get("bucket"), query.Get("uid")
	found := g.buckets[name]
	switch {
	case r.Method == http.MethodGet && name == "":
		return ok(g.bucketNames(uid))
	case r.Method == http.MethodPut && (found == nil || g.users[uid] == nil):
		return refuse(http.StatusNotFound, "NoSuchKey")
	case found == nil:
		return refuse(http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodGet:
		return ok(found.report())
	case r.Method == http.MethodPut && query.Has("quota"):
		found.quota = found.quota.asked(r)
	case r.Method == http.MethodPut:
		if id := query.Get("bucket-id"); id != "" && id != found.id {
			return refuse(http.StatusNotFound, "NoSuchBucket")
		}
		found.owner = uid
	case r.Method == http.MethodDelete && len(found.versions) > 0 && query.Get("purge-objects") != "true":
		return refuse(http.StatusConflict, "BucketNotEmpty")
	case r.Method == http.MethodDelete:
		delete(g.buckets, name)
	default:
		return g.unknown(r)
	}
	return done(http.StatusOK)
}

// bucketNames are those of a user, or all.
func (g *Gateway) bucketNames(uid string) []string {
	all := []string{}
	for name, b := range g.buckets {
		if uid == "" || b.owner == uid {
			all = append(all, name)
		}
	}
	sort.Strings(all)
	return all
}
