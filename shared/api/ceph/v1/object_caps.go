package v1

import (
	"strings"
)

// ObjectUserCapSpec is rights on the administration of a store: read, write,
// both, or * for all.
type ObjectUserCapSpec struct {
	// user is rights on users, by its older name.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	User string `json:"user,omitempty"`

	// users is rights on users.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Users string `json:"users,omitempty"`

	// bucket is rights on buckets, by its older name.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Bucket string `json:"bucket,omitempty"`

	// buckets is rights on buckets.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Buckets string `json:"buckets,omitempty"`

	// metadata is rights on metadata.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Metadata string `json:"metadata,omitempty"`

	// usage is rights on usage records.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Usage string `json:"usage,omitempty"`

	// zone is rights on zones.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Zone string `json:"zone,omitempty"`

	// roles is rights on roles.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Roles string `json:"roles,omitempty"`

	// info is rights on facts about the store.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Info string `json:"info,omitempty"`

	// amz-cache is rights on the cache of gateways.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	AMZCache string `json:"amz-cache,omitempty"`

	// bilog is rights on the log of bucket indexes.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	BILog string `json:"bilog,omitempty"`

	// mdlog is rights on the log of metadata.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	MDLog string `json:"mdlog,omitempty"`

	// datalog is rights on the log of data.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	DataLog string `json:"datalog,omitempty"`

	// user-policy is rights on policies of users.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	UserPolicy string `json:"user-policy,omitempty"`

	// oidc-provider is rights on OpenID providers.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	OIDCProvider string `json:"oidc-provider,omitempty"`

	// ratelimit is rights on rate limits.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	RateLimit string `json:"ratelimit,omitempty"`

	// user-info-without-keys is rights on users, but not their keys.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	UserInfoWithoutKeys string `json:"user-info-without-keys,omitempty"`

	// accounts is rights on accounts.
	// +kubebuilder:validation:Enum="";"*";read;write;"read, write"
	// +optional
	Accounts string `json:"accounts,omitempty"`
}

// ObjectUserCap is one right: a kind of thing, and read, write or * for both.
type ObjectUserCap struct {
	Type, Perm string
}

// List gives the rights in the words of Ceph's Admin Ops API, sorted by kind. The
// older names of users and buckets are turned into today's, and both rights
// together into *, as Ceph reports them.
func (s *ObjectUserCapSpec) List() []ObjectUserCap {
	if s == nil {
		return nil
	}
	var list []ObjectUserCap
	for _, c := range []struct{ kind, perm string }{
		{"accounts", mergePerm(s.Accounts)},
		{"amz-cache", mergePerm(s.AMZCache)},
		{"bilog", mergePerm(s.BILog)},
		{"buckets", mergePerm(s.Buckets, s.Bucket)},
		{"datalog", mergePerm(s.DataLog)},
		{"info", mergePerm(s.Info)},
		{"mdlog", mergePerm(s.MDLog)},
		{"metadata", mergePerm(s.Metadata)},
		{"oidc-provider", mergePerm(s.OIDCProvider)},
		{"ratelimit", mergePerm(s.RateLimit)},
		{"roles", mergePerm(s.Roles)},
		{"usage", mergePerm(s.Usage)},
		{"user-info-without-keys", mergePerm(s.UserInfoWithoutKeys)},
		{"user-policy", mergePerm(s.UserPolicy)},
		{"users", mergePerm(s.Users, s.User)},
		{"zone", mergePerm(s.Zone)},
	} {
		if c.perm != "" {
			list = append(list, ObjectUserCap{c.kind, c.perm})
		}
	}
	return list
}

// mergePerm gives the union of permissions: empty, read, write or *.
func mergePerm(perms ...string) string {
	all := strings.Join(perms, ",")
	read, write := strings.Contains(all, "read"), strings.Contains(all, "write")
	switch {
	case strings.Contains(all, "*"), read && write:
		return "*"
	case read:
		return "read"
	case write:
		return "write"
	}
	return ""
}
