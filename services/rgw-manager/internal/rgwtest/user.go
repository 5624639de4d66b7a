package rgwtest

import (
	"slices"
	"strings"

	"github.com/ceph/go-ceph/rgw/admin"
)

// user is one user as a gateway keeps it.
type user struct {
	uid, name  string
	maxBuckets int
	mask       []string
	keys       []admin.UserKeySpec
	caps       []admin.UserCapSpec
	quota      limit
	// each is the quota of buckets that have none of their own.
	each limit
	// placement and class are where buckets are made; empty for where the zone says.
	placement, class string
}

// limit is a quota as it is kept: switched off, it remembers its values.
type limit struct {
	on            bool
	size, objects int64
}

var noLimit = limit{size: -1, objects: -1}

func limitOf(spec admin.QuotaSpec) limit {
	l := noLimit
	if spec.Enabled != nil {
		l.on = *spec.Enabled
	}
	if spec.MaxSize != nil {
		l.size = *spec.MaxSize
	}
	if spec.MaxObjects != nil {
		l.objects = *spec.MaxObjects
	}
	return l
}

func (l limit) report() admin.QuotaSpec {
	return admin.QuotaSpec{Enabled: &l.on, MaxSize: &l.size, MaxObjects: &l.objects}
}

// exceeded tells whether more than the limit would be kept.
func (l limit) exceeded(size, objects int64) bool {
	return l.on && (l.size >= 0 && size > l.size || l.objects >= 0 && objects > l.objects)
}

var everything = []string{"read", "write", "delete"}

const (
	defaultMaxBuckets = 1000
	nothing           = "<none>"
)

func newUser(uid, name string) *user {
	return &user{uid: uid, name: name, maxBuckets: defaultMaxBuckets, mask: everything, quota: noLimit, each: noLimit}
}

// maskOf reads kinds of operations; what it does not know it passes over.
func maskOf(text string) []string {
	if strings.Contains(text, "*") {
		return everything
	}
	words := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(";,= \t", c) })
	return slices.DeleteFunc(slices.Clone(everything), func(one string) bool { return !slices.Contains(words, one) })
}

// report words a user as a gateway does.
func (u *user) report() admin.User {
	mask, limit, zero := strings.Join(u.mask, ", "), u.maxBuckets, 0
	if mask == "" {
		mask = nothing
	}
	is := admin.User{ID: u.uid, DisplayName: u.name, MaxBuckets: &limit, Suspended: &zero, OpMask: mask, Type: "rgw",
		DefaultPlacement: u.placement, DefaultStorageClass: u.class, UserQuota: u.quota.report(), BucketQuota: u.each.report(), Keys: slices.Clone(u.keys), Caps: slices.Clone(u.caps)}
	for i := range is.Keys {
		is.Keys[i].User = u.uid
	}
	return is
}

// may tells whether a user has a capability.
func (u *user) may(kind, perm string) bool {
	return slices.ContainsFunc(u.caps, func(c admin.UserCapSpec) bool { return c.Type == kind && (c.Perm == "*" || c.Perm == perm) })
}

// knownCaps are the kinds of capabilities that some release knows.
var knownCaps = []string{"accounts", "amz-cache", "bilog", "buckets", "datalog", "info", "mdlog", "metadata", "oidc-provider",
	"ratelimit", "roles", "usage", "user-info-without-keys", "user-policy", "users", "zone"}

const (
	canRead = 1 << iota
	canWrite
)

// bits turns a permission into flags.
func bits(perm string) int {
	flags := 0
	if strings.Contains(perm, "read") || perm == "*" {
		flags |= canRead
	}
	if strings.Contains(perm, "write") || perm == "*" {
		flags |= canWrite
	}
	return flags
}

func perm(flags int) string {
	switch flags {
	case canRead | canWrite:
		return "*"
	case canRead:
		return "read"
	case canWrite:
		return "write"
	}
	return ""
}

// changeCaps adds or removes capabilities that are worded as kind=perm;kind=perm.
// It tells whether all kinds are known.
func (g *Gateway) changeCaps(of *user, text string, change func(now, given int) int) bool {
	flags := map[string]int{}
	for _, one := range of.caps {
		flags[one.Type] = bits(one.Perm)
	}
	for one := range strings.SplitSeq(text, ";") {
		kind, given, _ := strings.Cut(strings.TrimSpace(one), "=")
		if !slices.Contains(knownCaps, kind) || slices.Contains(g.lacks, kind) {
			return false
		}
		flags[kind] = change(flags[kind], bits(given))
	}
	of.caps = nil
	for _, kind := range knownCaps {
		if flags[kind] != 0 {
			of.caps = append(of.caps, admin.UserCapSpec{Type: kind, Perm: perm(flags[kind])})
		}
	}
	return true
}
